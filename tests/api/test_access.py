"""Every operation is tried by every kind of caller: who may is answered, who may not is refused.

What is expected stands in `support/access.py`. Refusals are tried with ids that are there and with
bodies that would be taken, and must change nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import httpx
import pyotp
import pytest

from monigo import tenancy
from monigo.tenancy import Scope
from support.access import (
    ANYBODY,
    GROUP_OF,
    GROUPS,
    PORTAL,
    is_fresh,
    is_reading,
    refusal_of_key,
    refusal_of_role,
    without_face,
)
from support.api import Api
from support.operations import OPERATIONS, ids_in_queries, required_query, smallest_body
from support.people import Person, new_email
from support.tenants import fill, rows_of

ROLES = ["owner", "admin", "member", "viewer"]
# Whoever gets one of these was not let in.
REFUSALS = {
    "invalid_credential",
    "invalid_token",
    "scope_missing",
    "people_only",
    "role_lacks_right",
    "organization_suspended",
    "organization_not_found",
    "other_organization",
    "other_mode",
    "reauthentication_required",
    "second_factor_required",
    "invalid_portal_token",
    "portal_read_only",
}
# End what the others still need, so they come last.
ENDING = ("/leave", "/test-data/reset", "/test-clock")
# Answer 501 to everybody who may ask: WhatsApp's Cloud API has no such thing.
UNSUPPORTED = ("/whatsapp/qr", "/whatsapp/pairing-code")
# All of them one after the other take longer on a busy machine than a test may.
PARTS = 4
PEOPLE = "SELECT user_id, role FROM memberships WHERE org_id = $1 ORDER BY user_id"
INVITED = "SELECT id, status FROM invitations WHERE org_id = $1 ORDER BY id"


class Organization(NamedTuple):
    """Somebody's organisation with something of everything in its test mode."""

    owner: Person
    key: Api
    ids: dict[str, str]


class Caller(NamedTuple):
    """Whose organisation is asked for, by whom; and why that is refused, by group and path."""

    organization: Organization
    http: httpx.Client
    refusal: Callable[[str, str, str], str | None]
    is_link: bool = False


def organization_of(backend, owner):
    made = owner.found()
    org_id = made["organization"]["id"]
    key = Api.of(backend, UUID(org_id), is_test=True)
    with Person.signed_in(backend) as spare:
        owner.join(spare, org_id, "viewer")
    filled = fill(key, "driver-42")
    ids = {
        **filled,
        "transaction_id": filled["charge_id"],
        "payout_account_id": filled["payout_account_id"],
        "provider": "paystack",
        "org_id": org_id,
        "user_id": spare.user_id,
        "api_key_id": made["api_keys"][1]["id"],
        "invitation_id": owner.invite(org_id, new_email()).json()["invitation"]["id"],
        "session_id": str(uuid4()),
        "step_id": "customer",
        "passkey_id": str(uuid4()),
    }
    return Organization(owner, key, ids)


def of_key(scope):
    return lambda _, __, group: refusal_of_key(group, scope)


def of_person(refusal):
    """A person's refusal where people may call at all."""

    def refuse(method, path, group):
        if group == ANYBODY:
            return None
        if not path.startswith("/api/v1/"):
            return "invalid_credential"
        return refusal(method, group)

    return refuse


def of_role(role):
    return of_person(lambda _, group: refusal_of_role(group, role))


def of_nobody(_method, _path, group):
    return None if group == ANYBODY else "invalid_credential"


def of_suspended_key(method, _, group):
    refused = refusal_of_key(group, "admin") if group == ANYBODY else None
    if group not in GROUPS or not GROUPS[group].scopes:
        return refused if group == ANYBODY else "people_only"
    return None if is_reading(method) else "organization_suspended"


def of_link(access):
    """The refusal of who holds a portal link, which may act or only look."""

    def refuse(method, _path, group):
        if group == ANYBODY:
            return None
        if group != PORTAL:
            return "invalid_credential"
        return None if access == "full" or is_reading(method) else "portal_read_only"

    return refuse


def refusal_to(caller, method, path):
    group = GROUP_OF[method, without_face(path)]
    if group == PORTAL and not caller.is_link:
        return "invalid_portal_token"
    return caller.refusal(method, path, group)


def suspended_to_people(method, group):
    return None if group not in GROUPS or is_reading(method) else "organization_suspended"


def guarded_from_people(_method, group):
    return "second_factor_required" if group in GROUPS else None


def unknown_to_people(_method, group):
    return "organization_not_found" if group in GROUPS else None


def old_to_people(_method, group):
    return "reauthentication_required" if is_fresh(group) else None


@pytest.fixture(scope="module")
def people(backend):
    """Makes people, who go when the module is done."""
    made = []

    def make():
        made.append(Person.signed_in(backend))
        return made[-1]

    yield make
    for person in made:
        person.http.close()


def callers_of(backend, people):
    """One of each kind, and what each may."""
    own = organization_of(backend, people())
    suspended = organization_of(backend, people())
    suspend = tenancy.suspend_organization(backend.services.database, UUID(suspended.ids["org_id"]))
    backend.run(suspend)
    callers = {
        "nobody": Caller(own, Person(backend).http, of_nobody),
        "owner": Caller(own, own.owner.http, of_role("owner")),
        "outsider": Caller(own, an_outsider(people).http, of_person(unknown_to_people)),
        "old log-in": Caller(own, an_old_owner(backend, own, people), of_person(old_to_people)),
        "without the second factor": Caller(own, one_step_in(backend, own, people), of_nobody),
        "without a required second factor": Caller(
            *one_that_requires(own, people), of_person(guarded_from_people)
        ),
        "owner of a suspended one": Caller(
            suspended, suspended.owner.http, of_person(suspended_to_people)
        ),
        "key of a suspended one": Caller(suspended, suspended.key.http, of_suspended_key),
    }
    for role in ROLES[1:]:
        person = people()
        own.owner.join(person, own.ids["org_id"], role)
        callers[role] = Caller(own, person.http, of_role(role))
    for name, access in (("read", "read"), ("act", "full")):
        http = link_of(backend, own.key, access)
        callers[f"portal link that may {name}"] = Caller(
            of_customer(own), http, of_link(access), is_link=True
        )
    for scope in Scope:
        key = Api.of(backend, UUID(own.ids["org_id"]), is_test=True, scopes=[scope])
        callers[f"key that may {scope}"] = Caller(own, key.http, of_key(scope.value))
    return callers


def link_of(backend, key, access):
    """A client of whoever holds a portal link."""
    body = {"customer_external_id": "driver-42", "access": access}
    token = key.make("/v1/portal/tokens", body, "token")["token"]
    return httpx.Client(base_url=backend.url, headers={"X-Portal-Token": token}, timeout=60)


def of_customer(organization):
    """An organisation by the ids that its customer knows: no drafts."""
    ids = {**organization.ids, "invoice_id": organization.ids["final_invoice_id"]}
    return organization._replace(ids=ids)


def an_outsider(people):
    stranger = people()
    stranger.found()
    return stranger


def an_old_owner(backend, organization, people):
    """Signed in a while ago, and never since."""
    person = people()
    organization.owner.join(person, organization.ids["org_id"], "owner")
    backend.sql(
        "UPDATE sessions SET authenticated_at = authenticated_at - interval '16 minutes'"
        " WHERE user_id = $1",
        person.user_id,
    )
    return person.http


def one_that_requires(organization, people):
    """One that requires a second factor of its people, and its owner, who has none."""
    owner = people()
    org_id = owner.found()["organization"]["id"]
    owner.put(f"/organizations/{org_id}", json={"require_second_factor": True}).raise_for_status()
    ids = {**organization.ids, "org_id": org_id}
    return Organization(owner, organization.key, ids), owner.http


def one_step_in(backend, organization, people):
    """An owner whose password was right, and who has not shown the second factor."""
    person = people()
    organization.owner.join(person, organization.ids["org_id"], "owner")
    secret = person.post("/user/second-factor").json()["secret"]
    code = pyotp.TOTP(secret).at(backend.clock.now())
    person.post("/user/second-factor/confirm", json={"code": code}).raise_for_status()
    challenge = person.login().json()["challenge"]
    person.http.headers["Authorization"] = f"Bearer {challenge}"
    return person.http


KINDS = [
    "nobody",
    *ROLES,
    "outsider",
    "old log-in",
    "without the second factor",
    "without a required second factor",
    "owner of a suspended one",
    "key of a suspended one",
    "portal link that may read",
    "portal link that may act",
    *(f"key that may {scope}" for scope in Scope),
]


@pytest.fixture(scope="module")
def refused(backend, people):
    """Callers of organisations in which nothing changes."""
    return callers_of(backend, people)


@pytest.fixture(scope="module")
def let_in(backend, people):
    """Callers of organisations in which everything does."""
    return callers_of(backend, people)


def ask(backend, caller, method, path):
    operation, ids = OPERATIONS[method, path], caller.organization.ids
    query: dict[str, Any] = required_query(operation, ids)
    if "org_id" in ids_in_queries(operation):
        query |= {"org_id": ids["org_id"], "is_test": "true"}
    return caller.http.request(
        method,
        f"{backend.url}{path.format(**ids)}",
        params=query,
        json=smallest_body(operation),
    )


def state_of(backend, organization):
    org_id = organization.ids["org_id"]
    return [
        rows_of(backend, organization.key.tenant),
        [tuple(row) for row in backend.sql(PEOPLE, org_id)],
        [tuple(row) for row in backend.sql(INVITED, org_id)],
    ]


def code_of(answer):
    told = answer.headers.get("content-type", "").startswith("application/json") and answer.json()
    return told.get("code") if isinstance(told, dict) else None


def test_every_operation_is_in_one_group():
    assert {(method, without_face(path)) for method, path in OPERATIONS} == set(GROUP_OF)


def part_of(part):
    """A part of the operations; those that end something are in the last."""
    operations = sorted(OPERATIONS, key=lambda operation: operation[1].endswith(ENDING))
    size = -(-len(operations) // PARTS)
    return operations[part * size : (part + 1) * size]


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("kind", KINDS)
def test_who_may_not_is_refused_and_changes_nothing(backend, refused, kind, part):
    caller = refused[kind]
    expected = {
        (method, path): code
        for method, path in part_of(part)
        if (code := refusal_to(caller, method, path))
    }
    before = state_of(backend, caller.organization)

    answers = {operation: ask(backend, caller, *operation) for operation in expected}

    assert {operation: code_of(answer) for operation, answer in answers.items()} == expected
    assert {answer.status_code for answer in answers.values()} <= {401, 403, 404}
    assert state_of(backend, caller.organization) == before


@pytest.mark.parametrize("kind", KINDS)
def test_who_may_read_is_shown_what_there_is(backend, refused, kind):
    caller = refused[kind]
    readable = [
        (method, path)
        for method, path in OPERATIONS
        if method == "GET" and GROUP_OF[method, without_face(path)] in {*GROUPS, PORTAL}
        if refusal_to(caller, method, path) is None and not path.endswith(UNSUPPORTED)
    ]

    statuses = {operation: ask(backend, caller, *operation).status_code for operation in readable}

    assert {one: status for one, status in statuses.items() if status != 200} == {}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_who_may_is_let_in(backend, let_in, kind, part):
    caller = let_in[kind]
    allowed = [
        (method, path) for method, path in part_of(part) if refusal_to(caller, method, path) is None
    ]

    answers = {operation: ask(backend, caller, *operation) for operation in allowed}

    shut_out = {
        operation: answer.text
        for operation, answer in answers.items()
        if code_of(answer) in REFUSALS
        or (answer.status_code >= 500 and not operation[1].endswith(UNSUPPORTED))
    }
    assert shut_out == {}
