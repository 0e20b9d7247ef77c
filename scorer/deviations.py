"""Where the fair profile departs from the official evaluation: one named deviation for each of its known defects.

A profile is a set of deviations. ``gsi-official-1`` has none and reproduces the official numbers; ``gsi-fair-1`` has
all. Each can be switched alone, so that its effect on a result can be told (``python -m scorer official --deviate``).
docs/protocol.md, "Deviations", tables them; a test holds that table to this one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from scorer.errors import BenchmarkError


class Deviation(StrEnum):
    """The names of all deviations, in the order of the defects that they mend."""

    SMALL_MOVES = "small-moves"
    STILL_RECTANGLES = "still-rectangles"
    MOVE_DIRECTION = "move-direction"
    GATED_ACCURACY = "gated-accuracy"
    SCALE_DIRECTION = "scale-direction"
    ROTATION_SENSE = "rotation-sense"
    COUNTS = "counts"
    VIEWPOINT = "viewpoint"
    WHOLE_SCENE = "whole-scene"
    COLOURS = "colours"
    TARGET_MASK = "target-mask"
    COUNT_MISSING = "count-missing"
    NO_ABORT = "no-abort"
    PLAIN_NAMES = "plain-names"
    STATED_OPERATION = "stated-operation"
    VIEW_PROGRESS = "view-progress"
    ORIGIN_ASSIGNED = "origin-assigned"
    FINITE = "finite"
    STRICT_APPEARANCE = "strict-appearance"
    HALF_COMPLIANCE = "half-compliance"
    EXACT_FILES = "exact-files"
    FRESH_DETECTIONS = "fresh-detections"
    KEPT_NETWORK = "kept-network"
    FOLDER_NAMES = "folder-names"


@dataclass(frozen=True)
class Entry:
    """One deviation in words: the ``defect`` it mends (D1..D24), the ``reason``, the ``formula``, its ``effect``."""

    deviation: Deviation
    defect: str
    reason: str
    formula: str
    effect: str


TABLE: tuple[Entry, ...] = (
    Entry(
        Deviation.SMALL_MOVES,
        "D1",
        "A detection within 0.316 m of any origin box counts as unmoved, so shorter moves cannot score.",
        "The candidate is the detection that a one-to-one assignment by centre distance gives to the target.",
        "Moves under 31.6 cm can score; neighbours of one name are no longer mistaken for each other.",
    ),
    Entry(
        Deviation.STILL_RECTANGLES,
        "D2",
        "A detection whose rectangle hardly moved is dropped: all half turns and many other rotations.",
        "No test on rectangles: neither the 10-pixel sameness nor the motion ratio of 0.2.",
        "Perfect rotations of any angle can score.",
    ),
    Entry(
        Deviation.MOVE_DIRECTION,
        "D3",
        "Only the distance travelled counts: the right distance the wrong way has IC 1 and SA 0.70.",
        "IC: v·û ≥ ½|u| and |v − u| ≤ |u|; SA = max(0, 1 − |v − u|/|u|); u asked for, v measured.",
        "The opposite direction scores 0; SA falls with the distance from the goal.",
    ),
    Entry(
        Deviation.GATED_ACCURACY,
        "D4",
        "SA is paid where IC is 0: an untouched object keeps up to 0.97.",
        "SA = 0 where IC = 0.",
        "Doing nothing has SA 0.",
    ),
    Entry(
        Deviation.SCALE_DIRECTION,
        "D5",
        "Without a candidate the factor is taken as 1; shrinking passes for enlarging.",
        "With e the logarithms of the factors: IC: mean(e_m·e_g)/|e_g| ≥ ½|e_g| and |e_m − e_g| ≤ |e_g|;"
        " SA = max(0, 1 − |e_m − e_g|/|e_g|); no candidate: 0.",
        "The inverse factor and the unchanged object score 0.",
    ),
    Entry(
        Deviation.ROTATION_SENSE,
        "D6",
        "Any rotation passes IC; the mirrored angle has SA of at least 0.5; IC ignores where the object went.",
        "IC: d < ½g and the centre moved by at most half the longer horizontal side; SA = max(0, 1 − d/g).",
        "The wrong sense scores 0, but for angles whose mirror image is nearly the same pose.",
    ),
    Entry(
        Deviation.COUNTS,
        "D7",
        "Remove ignores what appeared and forgives a second lost object; move halves SA on any change of number.",
        "Remove: SA = clip(1 − ½(others lost + others added)), IC at most one of them and not all lost;"
        " move: IC 0 only where a copy stayed at the old place.",
        "Collateral changes cost where they belong; a detector's slip no longer halves a move.",
    ),
    Entry(
        Deviation.VIEWPOINT,
        "D8",
        "The viewpoint test of rotations fails on a fifth of identical image pairs and aborts on blank ones.",
        "No viewpoint test: a moved camera is left to the locality gate.",
        "Perfect rotations are not lost to an unstable pose estimate.",
    ),
    Entry(
        Deviation.WHOLE_SCENE,
        "D9",
        "Small images are judged on their top-left window; large ones get flat padding that raises EL.",
        "Both images whole, scaled so that the longest side is at most 896 pixels, neither enlarged, cut nor padded.",
        "EL means the same at every image size.",
    ),
    Entry(
        Deviation.COLOURS,
        "D10",
        "LPIPS gets blue for red; the SSIM range is the edited image's; dark images are scaled by another rule.",
        "Channels red, green, blue; SSIM range 255; every image divided by 255.",
        "The perceptual distance is the published one; dark or flat edits are not favoured.",
    ),
    Entry(
        Deviation.TARGET_MASK,
        "D11",
        "The last new detection is masked, not the target; without detections nothing is.",
        "Left out: the target's box in the original and the chosen one in the edited image, each widened by 18 pixels"
        " and there filled with the original's pixels before anything is compared.",
        "A correct edit is not counted as damage, and nothing of it leaks over the mask's edge.",
    ),
    Entry(
        Deviation.COUNT_MISSING,
        "D12",
        "Only images that are there are scored: hard samples can be left out.",
        "Every sample of the benchmark counts; a missing, unreadable or wrong-size image scores 0 and is listed.",
        "Leaving out costs what failing costs.",
    ),
    Entry(
        Deviation.NO_ABORT,
        "D13",
        "One odd sample ends the run of a whole model.",
        "What a participant sent scores 0 with a reason; what is ours is refused when the benchmark is added.",
        "No run is lost.",
    ),
    Entry(
        Deviation.PLAIN_NAMES,
        "D14",
        "`_rgb` is cut out of whole paths, which breaks the files and folders that have it.",
        "Names are taken as they are.",
        "None on files without `_rgb`.",
    ),
    Entry(
        Deviation.STATED_OPERATION,
        "D15",
        "The operation is guessed from words: a camera as target makes a view, a comma an unknown verb.",
        "The operation that the benchmark states for the sample.",
        "None where the guess is right; the benchmark's registration refuses instructions that contradict it.",
    ),
    Entry(
        Deviation.VIEW_PROGRESS,
        "D16",
        "An unedited picture keeps a high view score, without any gate, and a fraction enters IC.",
        "SA = clip(1 − e/e₀), e and e₀ the errors of the edited view and of the original: of object centres where the"
        " scene is known and the detector sees it all, else of the perceptual distance to the true view. IC: at least"
        " half of the change that was asked for. EL = 100(1 − D) against the true view.",
        "Doing nothing scores 0, the true view 100.",
    ),
    Entry(
        Deviation.ORIGIN_ASSIGNED,
        "D17",
        "The origin is found only within √0.1 over seven numbers, yaw unwrapped, or the sample is 0 for everybody.",
        "The detection assigned to the true box, within half its side, 25° and a factor of 1.35; else that box.",
        "The detector's slip on our own picture costs no participant.",
    ),
    Entry(
        Deviation.FINITE,
        "D18",
        "Constant images give NaN; a mask that covers all gives a perfect EL.",
        "Less than 10% kept: SSIM 0, distance 1. Every number is finite and within its range.",
        "No NaN reaches a mean, and covering everything is not rewarded.",
    ),
    Entry(
        Deviation.STRICT_APPEARANCE,
        "D19",
        "The judge does not see the instruction; no reply counts as 0, and 0 takes the other three scores along.",
        "The judge is told the instruction; AC = 10 × a finite score in 0..10; AC 0 leaves IC, SA and EL.",
        "One mangled reply costs one dimension of one sample at most.",
    ),
    Entry(
        Deviation.HALF_COMPLIANCE,
        "D20",
        "Any compliance above 0 opens the gates: a view of 0.01 passes.",
        "IC is 100 from a compliance of ½, else 0.",
        "IC is a rate in every operation.",
    ),
    Entry(
        Deviation.EXACT_FILES,
        "D21",
        "Originals and true edits are found by prefix: frame_10 takes frame_100, query 1 takes query 10.",
        "The file with exactly that name.",
        "None where the prefix is unique.",
    ),
    Entry(
        Deviation.FRESH_DETECTIONS,
        "D22",
        "Saved detections are used for an image that has changed since.",
        "A record that names the sha256 of its image is used for that image alone; scored submissions are always"
        " seen anew.",
        "A corrected edit is scored as it is.",
    ),
    Entry(
        Deviation.KEPT_NETWORK,
        "D23",
        "The LPIPS network is built anew for each image, in three passes.",
        "One network, one pass.",
        "Time only.",
    ),
    Entry(
        Deviation.FOLDER_NAMES,
        "D24",
        "The documented argument `fine_dataset` is refused as an unknown data set.",
        "`fine` and `fine_dataset` name the same data set.",
        "None on the numbers.",
    ),
)
"""Every deviation once, in the order of the defects."""


@dataclass(frozen=True)
class Profile:
    """A way to turn a submission into numbers, under a version name that reports carry."""

    name: str
    deviations: frozenset[Deviation]

    def __contains__(self, deviation: Deviation) -> bool:
        return deviation in self.deviations

    def switched(self, *, on: Iterable[Deviation] = (), off: Iterable[Deviation] = ()) -> Profile:
        """This profile with some deviations on or off; its name tells which, and a known set has its known name."""
        wanted = (self.deviations | set(on)) - set(off)
        known = next((profile for profile in (FAIR, OFFICIAL) if profile.deviations == wanted), None)
        if known is not None:
            return known
        changes = [f"+{one}" for one in Deviation if one in wanted - self.deviations]
        changes += [f"-{one}" for one in Deviation if one in self.deviations - wanted]
        return Profile(self.name + "".join(changes), frozenset(wanted))

    @property
    def listed(self) -> list[str]:
        """The deviations' names in the order of the table."""
        return [entry.deviation.value for entry in TABLE if entry.deviation in self.deviations]


OFFICIAL = Profile("gsi-official-1", frozenset())
FAIR = Profile("gsi-fair-1", frozenset(Deviation))
PROFILES = {profile.name: profile for profile in (FAIR, OFFICIAL)}


def profile_named(name: str) -> Profile:
    """The profile of that version. Raises BenchmarkError for an unknown name."""
    try:
        return PROFILES[name]
    except KeyError:
        raise BenchmarkError(f"there is no protocol {name}; known: {', '.join(PROFILES)}") from None
