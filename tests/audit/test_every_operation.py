"""Each operation that changes something leaves one entry, with the fields that it changed."""

import pytest

from audit.operations import OF_KEYS
from audit.world import World
from support.audit import changed, entries


@pytest.fixture
def world(backend):
    made = World(backend)
    yield made
    made.close()
    backend.clock.reset()


def routes_of(router):
    """The routes of a router and of those that it includes, whatever their prefix."""
    for route in router.routes:
        included = getattr(route, "original_router", None)
        yield from (route,) if included is None else routes_of(included)


@pytest.mark.parametrize("name", OF_KEYS)
def test_an_operation_by_a_key_leaves_one_entry(world, name):
    operation = OF_KEYS[name]
    method, path, body = operation.sent(world)
    before = entries(world.api)

    answer = world.api.http.request(method, path, json=body)

    assert answer.status_code < 300, answer.text
    (entry,) = entries(world.api)[len(before) :]
    assert (entry["action"], entry["resource_type"]) == (name, operation.resource)
    assert _told(entry, operation) == operation.fields


def _told(entry, operation):
    """The fields of an entry: all of an edited thing, else those that the operation names."""
    told = changed(entry)
    return {name: told.get(name) for name in (told if operation.is_whole else operation.fields)}
