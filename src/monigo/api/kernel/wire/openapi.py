"""Describes structs in /openapi.json, beside the framework's own description of requests."""

import inspect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

_PREFIX = "#/components/schemas/"


def reference(answer: type[Struct]) -> dict[str, str]:
    """Where the document describes a struct."""
    return {"$ref": f"{_PREFIX}{answer.__name__}"}


def content_of(answer: type[Struct]) -> dict[str, Any]:
    """The `content` of a request or response that consists of a struct."""
    return {"application/json": {"schema": reference(answer)}}


def described(answer: type[Struct], description: str) -> dict[str, Any]:
    """An entry of a route's `responses` that consists of a struct."""
    return {"description": description, "content": content_of(answer)}


def add_structs(document: dict[str, Any], structs: Iterable[type[Struct]]) -> None:
    """Describe structs, and what they consist of, in a document that refers to them.

    Raises:
        TypeError: two types of one name, which a reference could not distinguish.
    """
    known: dict[str, Any] = document["components"]["schemas"]
    ordered = sorted(set(structs), key=lambda one: one.__name__)
    _, components = msgspec.json.schema_components(ordered, ref_template=_PREFIX + "{name}")
    for name, component in components.items():
        # The library distinguishes types of one name by their modules.
        if "." in name or not _may_stand_beside(component, known.get(name)):
            raise TypeError(f"two types in the document are called {name.rpartition('.')[2]}")
        if "description" in component:
            component["description"] = inspect.cleandoc(component["description"])
        if "enum" in component:
            known.setdefault(name, {**component, "type": "string"})
        else:
            known[name] = component


def _may_stand_beside(component: Mapping[str, Any], known: Mapping[str, Any] | None) -> bool:
    """Whether a name is free, or is that of the same enumeration, which a request has, too."""
    if known is None:
        return True
    return "enum" in component and set(component["enum"]) == set(known.get("enum", ()))


class Form(Struct, frozen=True):
    """One of the forms that an object takes.

    `words` are the values of the discriminating property that select the form. `properties` replace
    the object's own schemas; None: the form does not have the property.
    """

    name: str
    words: Sequence[str]
    properties: Mapping[str, dict[str, Any] | None]
    required: frozenset[str] = frozenset()


def describe_forms(
    document: dict[str, Any], name: str, *, discriminator: str, forms: Iterable[Form]
) -> None:
    """Describe an object as a union of its forms, discriminated by a property.

    Generators of clients make a type of each, where the object's own schema is too wide to help.
    """
    known: dict[str, Any] = document["components"]["schemas"]
    whole = known[name]
    mapping: dict[str, str] = {}
    for form in forms:
        component = form.name + name
        own: dict[str, Any] = {discriminator: {"type": "string", "enum": list(form.words)}}
        own |= form.properties
        properties = {
            field: own.get(field, schema) for field, schema in whole["properties"].items()
        }
        unused = {field for field, schema in properties.items() if schema is None}
        known[component] = {
            "title": component,
            "description": whole["description"],
            "type": "object",
            "properties": {field: properties[field] for field in properties.keys() - unused},
            "required": sorted({*whole["required"], *form.required} - unused),
        }
        mapping |= dict.fromkeys(form.words, _PREFIX + component)
    union = {
        "oneOf": [{"$ref": component} for component in dict.fromkeys(mapping.values())],
        "discriminator": {"propertyName": discriminator, "mapping": mapping},
    }
    kept = ("title", "description", "examples")
    known[name] = {field: whole[field] for field in kept if field in whole} | union
