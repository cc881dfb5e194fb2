"""Each operation that changes something leaves one entry, with the fields that it changed."""

import pytest
from fastapi import APIRouter

from audit.operations import OF_KEYS, UNAUDITED
from audit.operations_of_messages import OF_MESSAGES
from audit.operations_of_people import OF_PEOPLE
from audit.operations_of_portal import OF_PORTAL
from audit.world import World
from monigo.api import create_app
from monigo.api.kernel.changes import Changes, Unaudited
from monigo.api.kernel.routes.declarations import atomic, declaration_of
from monigo.api.kernel.routes.tenant import TenantRoute
from monigo.api.kernel.wire.outgoing import Message
from monigo.core.access import Permission
from support.audit import changed
from support.portal import Holder

BY_KEYS = {**OF_KEYS, **OF_MESSAGES}


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


@pytest.mark.parametrize("name", BY_KEYS)
def test_an_operation_by_a_key_leaves_one_entry(world, name):
    operation = BY_KEYS[name]
    method, path, body = operation.sent(world)
    before = world.entries()

    answer = world.api.http.request(method, path, json=body)

    assert answer.status_code < 300, answer.text
    (entry,) = world.entries()[len(before) :]
    assert (entry["action"], entry["resource_type"]) == (name, operation.resource)
    assert _told(entry, operation) == operation.fields


def test_the_first_entry_of_an_organisation_is_that_it_was_made(world):
    (entry,) = world.entries()

    assert (entry["action"], entry["actor_id"]) == ("found_organization", world.owner.user_id)
    assert entry["after"]["name"] == "Lagos Rides"
    assert entry["resource_id"] == world.org_id


def test_every_operation_that_changes_something_is_tried(backend):
    app = create_app(backend.services)

    audited = {
        route.name
        for route in routes_of(app)
        if isinstance(getattr(declaration_of(route.endpoint), "changes", None), Changes)
    }

    assert audited == {*BY_KEYS, *OF_PEOPLE, *OF_PORTAL, "found_organization"}


def test_what_is_not_audited_says_why(backend):
    app = create_app(backend.services)

    silent = {
        route.name: declaration_of(route.endpoint).changes.reason
        for route in routes_of(app)
        if isinstance(getattr(declaration_of(route.endpoint), "changes", None), Unaudited)
    }

    assert all(silent.values())
    assert set(silent) == UNAUDITED


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_a_mutating_route_that_says_nothing_of_its_change_is_refused(method):
    async def change_things() -> Message:
        return Message(message="done")

    router = APIRouter(route_class=TenantRoute)

    with pytest.raises(TypeError, match="/things does not only read, and declares no change"):
        getattr(router, method)("/things")(atomic(Permission.CUSTOMERS_WRITE)(change_things))


@pytest.mark.parametrize("name", OF_PEOPLE)
def test_an_operation_by_a_person_leaves_one_entry(world, name):
    before = world.entries()

    person, answer, resource, fields = OF_PEOPLE[name](world)

    assert answer.status_code < 300, answer.text
    new = [entry for entry in world.entries()[len(before) :] if entry["action"] == name]
    (entry,) = new
    assert (entry["actor_type"], entry["actor_id"]) == ("person", person.user_id)
    assert (entry["actor_name"], entry["ip_address"]) == ("Ada Obi", person.address)
    assert (entry["resource_type"], entry["is_test"]) == (resource, None)
    told = changed(entry)
    assert {field: told.get(field) for field in fields} == fields


@pytest.mark.parametrize("name", OF_PORTAL)
def test_an_operation_in_the_portal_leaves_one_entry(world, name):
    operation = OF_PORTAL[name]
    method, path, body = operation.sent(world)
    ada = Holder(world.api, "c1")
    before = world.entries()

    answer = ada.http.request(method, path.replace("/v1/", "/api/v1/portal/"), json=body)

    assert answer.status_code < 300, answer.text
    (entry,) = world.entries()[len(before) :]
    assert (entry["action"], entry["resource_type"]) == (name, operation.resource)
    assert (entry["actor_type"], entry["actor_id"]) == ("portal", ada.made["id"])
    assert _told(entry, operation) == operation.fields


def _told(entry, operation):
    """The fields of an entry: all of an edited thing, else those that the operation names."""
    told = changed(entry)
    return {name: told.get(name) for name in (told if operation.is_whole else operation.fields)}
