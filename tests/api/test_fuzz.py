"""Whatever is sent, the answer is one that /openapi.json tells of, and never a server error."""

from uuid import UUID, uuid4

import pytest

from support.api import Api
from support.fuzzing import findings, findings_with, operations_of, world_of
from support.people import Person, new_email


def test_no_generated_request_is_answered_in_an_untold_way(api, backend):
    operations = without_twins(operations_of(backend.url))

    found = [findings(api, operation, examples=3, number=1) for operation in operations]

    assert [text for texts in found for text in texts] == []


def without_twins(operations):
    """All but those of /api/v1 that are the same route as one of /v1: people are sent to them."""
    merchants = {(one.method, one.path) for one in operations if one.path.startswith("/v1/")}
    return [
        one
        for one in operations
        if (one.method, one.path.removeprefix("/api")) not in merchants
        or one.path.startswith("/v1/")
    ]


@pytest.fixture
def owner(backend):
    with Person.signed_in(backend) as person:
        yield person


@pytest.fixture
def organization(backend, owner):
    """An organisation's id, and ids of whatever there is in it."""
    made = owner.found()
    org_id = made["organization"]["id"]
    with Person.signed_in(backend) as spare, Api.of(backend, UUID(org_id), is_test=False) as key:
        owner.join(spare, org_id, "viewer")
        known = {
            **world_of(key),
            "org_id": org_id,
            "user_id": spare.user_id,
            "api_key_id": made["api_keys"][0]["id"],
            "invitation_id": owner.invite(org_id, new_email()).json()["invitation"]["id"],
            "session_id": str(uuid4()),
        }
    return org_id, known


# One after the other they would take longer than a test may.
PARTS = 4


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_no_generated_request_of_a_person_is_answered_in_an_untold_way(
    backend, owner, organization, role, part
):
    org_id, known = organization
    with Person.signed_in(backend) as person:
        owner.join(person, org_id, role)
        token = person.tokens["access_token"]
        found = [
            findings_with(operation, token, known, examples=2, number=1)
            for operation in operations_for_people(backend.url)[part::PARTS]
        ]

    assert [text for texts in found for text in texts] == []


def operations_for_people(url):
    """Those of /api/v1 that ask who calls; whoever leaves the organisation does so at the end."""
    found = [
        operation
        for operation in operations_of(url)
        if operation.path.startswith("/api/v1/")
        if "x-permission" in operation.definition.raw
    ]
    return sorted(found, key=lambda operation: operation.path.endswith("/leave"))
