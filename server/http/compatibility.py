"""What a change of the API would break for a client that was written against an earlier document.

Both documents are OpenAPI 3.1 as FastAPI writes them. A client breaks when an operation, an answer's member or a value
that it may send goes away, when a request needs more than before, or when a type changes. Additions break nobody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Document = Mapping[str, Any]
_METHODS = ("get", "put", "post", "delete", "patch")


def breaks(old: Document, new: Document) -> list[str]:
    """Every break, in words; none when each client of ``old`` can go on with ``new``."""
    return list(_operations(old, new))


def _operations(old: Document, new: Document) -> Iterator[str]:
    for path, methods in old["paths"].items():
        for method in filter(methods.__contains__, _METHODS):
            name = f"{method.upper()} {path}"
            there = new["paths"].get(path, {}).get(method)
            if there is None:
                yield f"{name} is gone"
                continue
            yield from _parameters(name, methods[method], there, old=old, new=new)
            yield from _requests(name, methods[method], there, old=old, new=new)
            yield from _answers(name, methods[method], there, old=old, new=new)


def _parameters(name: str, before: Document, after: Document, *, old: Document, new: Document) -> Iterator[str]:
    def keyed(operation: Document) -> dict[tuple[str, str], Document]:
        return {(one["in"], one["name"]): one for one in operation.get("parameters", [])}

    had, has = keyed(before), keyed(after)
    for place, parameter in had.items():
        if place not in has:
            yield f"{name}: parameter {place[1]} is gone"
        else:
            found = _sent(parameter["schema"], has[place]["schema"], old=old, new=new)
            yield from (f"{name}: parameter {place[1]}{each}" for each in found)
    for place, parameter in has.items():
        if parameter.get("required") and not had.get(place, {}).get("required"):
            yield f"{name}: parameter {place[1]} is required now"


def _requests(name: str, before: Document, after: Document, *, old: Document, new: Document) -> Iterator[str]:
    had, has = before.get("requestBody"), after.get("requestBody")
    if has and has.get("required") and not (had and had.get("required")):
        yield f"{name}: a body is required now"
    for kind, content in (had or {}).get("content", {}).items():
        if kind not in (has or {}).get("content", {}):
            yield f"{name}: a body of {kind} is no longer taken"
        elif has is not None:
            found = _sent(content.get("schema", {}), has["content"][kind].get("schema", {}), old=old, new=new)
            yield from (f"{name}: body{each}" for each in found)


def _answers(name: str, before: Document, after: Document, *, old: Document, new: Document) -> Iterator[str]:
    for status, answer in before["responses"].items():
        there = after["responses"].get(status)
        if there is None:
            yield f"{name}: answer {status} is gone"
            continue
        for kind, content in answer.get("content", {}).items():
            if kind not in there.get("content", {}):
                yield f"{name}: answer {status} is no longer given as {kind}"
            else:
                found = _told(content.get("schema", {}), there["content"][kind].get("schema", {}), old=old, new=new)
                yield from (f"{name}: answer {status}{each}" for each in found)


def _sent(before: Document, after: Document, *, old: Document, new: Document) -> Iterator[str]:
    """What a client sends: each value that was taken is taken still."""
    had, has = _resolved(before, old), _resolved(after, new)
    yield from _types(had, has, wider=True)
    if "enum" in has and set(had.get("enum", ())) - set(has["enum"]):
        yield f" no longer takes {sorted(set(had['enum']) - set(has['enum']))}"
    if has.get("additionalProperties") is False:
        yield from (f".{name} is no longer taken" for name in _members(had) if name not in _members(has))
    yield from (f".{name} is required now" for name in has.get("required", []) if name not in had.get("required", []))
    yield from _deeper(had, has, _sent, old=old, new=new)


def _told(before: Document, after: Document, *, old: Document, new: Document) -> Iterator[str]:
    """What a client is told: each member that was there is there still. New values of an enum are no break."""
    had, has = _resolved(before, old), _resolved(after, new)
    yield from _types(had, has, wider=False)
    yield from (f".{name} is gone" for name in _members(had) if name not in _members(has))
    kept = set(has.get("required", []))
    yield from (f".{name} may be missing now" for name in had.get("required", []) if name not in kept)
    yield from _deeper(had, has, _told, old=old, new=new)


def _deeper(had: Document, has: Document, walk: Any, *, old: Document, new: Document) -> Iterator[str]:
    for name in _members(had):
        if name in _members(has):
            found = walk(_members(had)[name], _members(has)[name], old=old, new=new)
            yield from (f".{name}{each}" for each in found)
    if "items" in had and "items" in has:
        yield from (f"[]{each}" for each in walk(had["items"], has["items"], old=old, new=new))


def _types(had: Document, has: Document, *, wider: bool) -> Iterator[str]:
    before, after = _kinds(had), _kinds(has)
    lost = before - after if wider else after - before
    if before and after and lost:
        yield f" is {' or '.join(sorted(after))}, was {' or '.join(sorted(before))}"


def _kinds(schema: Document) -> set[str]:
    if "anyOf" in schema:
        return {kind for one in schema["anyOf"] for kind in _kinds(one)}
    kind = schema.get("type")
    return set(kind) if isinstance(kind, list) else {kind} if kind else {"object"} if "$ref" in schema else set()


def _members(schema: Document) -> Document:
    found: Document = schema.get("properties", {})
    return found


def _resolved(schema: Document, document: Document) -> Document:
    """A schema behind its reference; of an alternative with null the other part."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        some = [one for one in schema["anyOf"] if one.get("type") != "null"]
        if len(some) == 1:
            return {**_resolved(some[0], document), "type": sorted(_kinds(schema) or {"object"})}
    return schema
