"""From an instruction to its operation, exactly as the official evaluation reads it (docs/protocol.md)."""

from __future__ import annotations

from types import MappingProxyType

VERBS = MappingProxyType(
    {
        "move": ("move", "shift", "relocate", "place", "put", "push", "pull"),
        "rotate": ("rotate", "turn", "spin"),
        "remove": ("remove",),
        "scale": ("scale", "resize", "make", "shrink", "reduce", "enlarge", "expand", "increase"),
        "view": ("view", "changeview", "look"),
    }
)
"""The verbs of each operation."""

_OPERATION_OF = {verb: operation for operation, verbs in VERBS.items() for verb in verbs}
_CAMERA_AS_REFERENCE = ("from the camera", "to the camera")


def parse_operation(instruction: str) -> str:
    """The operation of an instruction: move, rotate, remove, scale or view, else its first word in lower case.

    The first word counts, after one ``please``; words are split at single spaces, so the result may be empty.
    An instruction that names the camera, other than as what to move to or from, is a view.
    Raises ValueError where nothing follows ``please``.
    """
    words = instruction.split(" ")
    verb = words[0].lower()
    if verb == "please":
        if len(words) < 2:
            raise ValueError("the instruction says nothing after 'please'")
        verb = words[1].lower()
    if "camera" in instruction and not any(phrase in instruction for phrase in _CAMERA_AS_REFERENCE):
        return "view"
    return _OPERATION_OF.get(verb, verb)
