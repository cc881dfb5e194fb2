"""Structs in the document: each under its own name, prices as unions of their forms."""

from enum import StrEnum

import pytest

from monigo.api.kernel.wire.openapi import Form, add_structs, describe_forms, reference
from monigo.api.kernel.wire.outgoing import Message, Outgoing


class Colour(StrEnum):
    """What it looks like."""

    RED = "red"
    GREEN = "green"


class Paint(Outgoing, frozen=True):
    """Something to paint with.

    More than one line.
    """

    colour: Colour


def document(**schemas):
    return {"components": {"schemas": schemas}}


def test_a_struct_is_described_with_what_it_consists_of():
    made = document()

    add_structs(made, {Paint})

    schemas = made["components"]["schemas"]
    assert schemas["Paint"]["properties"] == {"colour": reference(Colour)}
    assert schemas["Paint"]["description"] == "Something to paint with.\n\nMore than one line."
    assert schemas["Colour"]["type"] == "string"
    assert schemas["Colour"]["enum"] == ["green", "red"]


def test_an_enumeration_that_requests_name_too_is_told_once():
    told = {"type": "string", "enum": ["red", "green"]}
    made = document(Colour=told)

    add_structs(made, {Paint})

    assert made["components"]["schemas"]["Colour"] is told


@pytest.mark.parametrize(
    "known",
    [
        {"Message": {"type": "object"}},
        {"Colour": {"type": "string", "enum": ["red", "blue"]}},
        {"Colour": {"type": "object"}},
    ],
)
def test_another_type_of_the_same_name_is_refused(known):
    with pytest.raises(TypeError, match="two types in the document are called"):
        add_structs(document(**known), {Paint, Message})


def test_an_object_becomes_a_union_of_its_forms():
    whole = {
        "title": "Thing",
        "description": "A thing.",
        "examples": [{"kind": "round", "size": 1}],
        "type": "object",
        "properties": {"kind": {"type": "string"}, "size": {}, "corners": {}},
        "required": ["kind", "corners"],
    }
    made = document(Thing=whole)

    describe_forms(
        made,
        "Thing",
        discriminator="kind",
        forms=[
            Form("Round", ["round", "circle"], {"corners": None}, frozenset({"size"})),
            Form("Square", ["square"], {"corners": {"const": 4}}),
        ],
    )

    schemas = made["components"]["schemas"]
    assert schemas["Thing"] == {
        "title": "Thing",
        "description": "A thing.",
        "examples": [{"kind": "round", "size": 1}],
        "oneOf": [
            {"$ref": "#/components/schemas/RoundThing"},
            {"$ref": "#/components/schemas/SquareThing"},
        ],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {
                "round": "#/components/schemas/RoundThing",
                "circle": "#/components/schemas/RoundThing",
                "square": "#/components/schemas/SquareThing",
            },
        },
    }
    assert schemas["RoundThing"]["required"] == ["kind", "size"]
    assert schemas["RoundThing"]["properties"] == {
        "kind": {"type": "string", "enum": ["round", "circle"]},
        "size": {},
    }
    assert schemas["SquareThing"]["properties"]["corners"] == {"const": 4}
