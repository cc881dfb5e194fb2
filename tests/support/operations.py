"""The operations of /openapi.json, and who may ask for each of them."""

import json
from pathlib import Path

from monigo.core.access import OF_PORTALS, Permission, scopes_of

# The checked-in document, which a test keeps equal to what the application serves.
GOLDEN = Path(__file__).parents[1] / "golden" / "openapi.json"
DOCUMENT = json.loads(GOLDEN.read_text())
OPERATIONS = {
    (method.upper(), path): operation
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
}


def is_for_keys(method, path):
    """Whether some key may ask for it, which acts for its own organisation."""
    permission = OPERATIONS[method, path].get("x-permission")
    return permission is not None and scopes_of(Permission(permission)) != ()


# The merchant's own names for its customers, payments and providers: given, not referred to.
GIVEN_NAMES = {"external_id", "reference_id", "provider_id"}


# By whom the operations can be tried. What names an organisation in its path, keys may only ask
# for their own.
OF_KEYS = {
    (method, path): operation
    for (method, path), operation in OPERATIONS.items()
    if is_for_keys(method, path) and "{org_id}" not in path
}
OF_PORTAL = {
    (method, path): operation
    for (method, path), operation in OPERATIONS.items()
    if operation.get("x-permission") in OF_PORTALS
}
OF_PEOPLE = {
    (method, path): operation
    for (method, path), operation in OPERATIONS.items()
    if (method, path) not in {*OF_KEYS, *OF_PORTAL} and "x-permission" in operation
}


def parameters(path):
    """The names in a path."""
    return [part.strip("{}") for part in path.split("/") if part.startswith("{")]


def ids_in_queries(operation):
    """The names of a query's parameters that take an id."""
    return [
        parameter["name"]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter["name"].endswith("_id")
    ]


def id_fields(schema, path=""):
    """Where a body's schema takes ids, such as `prices[].metric_id`."""
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for choice in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from id_fields(choice, path)
    if "items" in schema:
        yield from id_fields(schema["items"], f"{path}[]")
    for name, field in schema.get("properties", {}).items():
        inner = f"{path}.{name}".removeprefix(".")
        if (name == "id" or name.endswith("_id")) and name not in GIVEN_NAMES:
            yield inner
        yield from id_fields(field, inner)


def required_query(operation, own):
    """What a list must be asked for; `own` are ids by what they are."""
    known = {
        "event_name": "visit",
        "metric_id": own["metric_id"],
        "provider": "monnify",
        "country": "NG",
        "currency": "NGN",
        "type": "balance_low",
    }
    return {
        parameter["name"]: known[parameter["name"]]
        for parameter in operation.get("parameters", [])
        if parameter["in"] == "query" and parameter["required"]
    }


def body_schema(operation):
    """What a body looks like; empty where there is none."""
    contents = operation.get("requestBody", {}).get("content", {})
    return next((content["schema"] for content in contents.values()), {})


def smallest_body(operation):
    """The required fields of a body, as its documentation shows them."""
    if operation["operationId"].removeprefix("dashboard_") == "update_subscription":
        return {"status": "paused"}  # One of three fields, none of which is required.
    schema = body_schema(operation)
    return _example(schema) if "$ref" in schema else None


def _example(field):
    """What the document shows for a field, or the smallest of what it says is there."""
    if "examples" in field:
        return field["examples"][0]
    if "items" in field:
        return [_example(field["items"])]
    name = field.get("$ref", "").rpartition("/")[2]
    schema = DOCUMENT["components"]["schemas"].get(name, {})
    return {name: _example(schema["properties"][name]) for name in schema.get("required", [])}
