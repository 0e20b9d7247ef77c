"""What breaks a client of the API, and what does not."""

from __future__ import annotations

import copy
import json
from importlib.resources import files

import pytest

from server.http.compatibility import breaks

OLD = {
    "paths": {
        "/things": {
            "get": {
                "parameters": [{"in": "query", "name": "limit", "required": False, "schema": {"type": "integer"}}],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Things"}}}}
                },
            },
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ThingIn"}}},
                },
                "responses": {"201": {}},
            },
        }
    },
    "components": {
        "schemas": {
            "Things": {
                "type": "object",
                "required": ["things"],
                "properties": {"things": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}},
            },
            "Thing": {
                "type": "object",
                "required": ["id"],
                "properties": {
                    "id": {"type": "string"},
                    "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                },
            },
            "ThingIn": {
                "type": "object",
                "required": ["name"],
                "additionalProperties": False,
                "properties": {
                    "name": {"type": "string"},
                    "kind": {"type": "string", "enum": ["a", "b"]},
                },
            },
        }
    },
}


def _schemas(new):
    return new["components"]["schemas"]


def _get(new):
    return new["paths"]["/things"]["get"]


CHANGES = {
    "GET /things is gone": lambda new: new["paths"]["/things"].pop("get"),
    "GET /things: parameter limit is gone": lambda new: _get(new)["parameters"].clear(),
    "GET /things: parameter limit is string, was integer": lambda new: _get(new)["parameters"][0].update(
        schema={"type": "string"}
    ),
    "GET /things: parameter team is required now": lambda new: _get(new)["parameters"].append(
        {"in": "query", "name": "team", "required": True, "schema": {"type": "string"}}
    ),
    "GET /things: answer 200.things[].id is gone": lambda new: (
        _schemas(new)["Thing"]["properties"].pop("id"),
        _schemas(new)["Thing"]["required"].clear(),
    ),
    "GET /things: answer 200.things may be missing now": lambda new: _schemas(new)["Things"]["required"].clear(),
    "GET /things: answer 200.things[].id is integer, was string": lambda new: _schemas(new)["Thing"][
        "properties"
    ].update(id={"type": "integer"}),
    "GET /things: answer 200 is gone": lambda new: _get(new)["responses"].clear(),
    "POST /things: body.kind no longer takes ['b']": lambda new: _schemas(new)["ThingIn"]["properties"]["kind"].update(
        enum=["a"]
    ),
    "POST /things: body.kind is no longer taken": lambda new: _schemas(new)["ThingIn"]["properties"].pop("kind"),
    "POST /things: body.size is required now": lambda new: (
        _schemas(new)["ThingIn"]["properties"].update(size={"type": "integer"}),
        _schemas(new)["ThingIn"]["required"].append("size"),
    ),
}


@pytest.mark.parametrize("told", CHANGES)
def test_a_change_that_breaks_a_client_is_told(told):
    new = copy.deepcopy(OLD)
    CHANGES[told](new)
    assert told in breaks(OLD, new)


ADDITIONS = {
    "a path": lambda new: new["paths"].update({"/more": new["paths"]["/things"]}),
    "a parameter": lambda new: _get(new)["parameters"].append(
        {"in": "query", "name": "team", "required": False, "schema": {"type": "string"}}
    ),
    "a member of an answer": lambda new: _schemas(new)["Thing"]["properties"].update(more={"type": "string"}),
    "a member that may be sent": lambda new: _schemas(new)["ThingIn"]["properties"].update(more={"type": "string"}),
    "a value that may be sent": lambda new: _schemas(new)["ThingIn"]["properties"]["kind"].update(enum=["a", "b", "c"]),
    "nothing": lambda new: None,
}


@pytest.mark.parametrize("what", ADDITIONS)
def test_an_addition_breaks_nobody(what):
    new = copy.deepcopy(OLD)
    ADDITIONS[what](new)
    assert breaks(OLD, new) == []


def test_the_api_breaks_no_client_of_what_was_released(app):
    released = json.loads(files("server.http").joinpath("openapi-released.json").read_text(encoding="utf-8"))
    assert breaks(released, app.openapi()) == [], "a break needs /api/v2; see docs/api.md"
