"""When an entry is written, and when none is: refusals, repeats, edits that change nothing."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from support.api import Api
from support.audit import changed, entries
from support.people import Person

CUSTOMER = {"external_id": "c1", "name": "Ada"}


def test_an_entry_tells_by_whom_from_where_and_when(backend, api):
    headers = {"User-Agent": "till/1.0", "X-Request-Id": "request-7"}
    answer = api.post("/v1/customers", json=CUSTOMER, headers=headers)

    (entry,) = entries(api)

    key = backend.sql("SELECT id, name FROM api_keys WHERE org_id = $1", api.org_id)[0]
    assert (entry["actor_type"], entry["actor_id"]) == ("api_key", str(key["id"]))
    assert (entry["actor_name"], entry["permission"]) == (key["name"], "customers:write")
    assert (entry["action"], entry["route"]) == ("create_customer", "POST /v1/customers")
    assert entry["resource_id"] == answer.json()["customer"]["id"]
    assert (entry["is_test"], entry["ip_address"]) == (api.tenant.is_test, "127.0.0.1")
    assert (entry["user_agent"], entry["request_id"]) == ("till/1.0", "request-7")
    assert entry["created_at"].startswith(backend.clock.now().isoformat()[:16])


def test_a_key_under_the_face_of_people_is_told_with_that_route(api):
    api.post("/api/v1/customers", json=CUSTOMER)

    assert [entry["route"] for entry in entries(api)] == ["POST /api/v1/customers"]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/customers", {"external_id": "c1", "name": 7}),
        ("PUT", "/v1/customers/unknown", {"name": "Bola"}),
        ("DELETE", "/v1/customers/unknown", None),
        ("POST", "/v1/plans", {"name": ""}),
        ("PATCH", "/v1/organization", {"timezone": "nowhere"}),
        ("POST", "/v1/test-clock/advance", {"to": "2000-01-01T00:00:00Z"}),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "one"}], ids=["", "kept"])
def test_a_refusal_leaves_none(api, method, path, body, headers):
    answer = api.http.request(method, path, json=body, headers=headers)

    assert 400 <= answer.status_code < 500
    assert entries(api) == []


def test_a_conflict_after_something_was_written_leaves_none(api):
    """Deleting asks who depends on it after it has locked, and reports after it has deleted."""
    customer, *_ = api.subscribed_customer()
    before = entries(api)

    answer = api.delete(f"/v1/customers/{customer['id']}", headers={"Idempotency-Key": "one"})

    assert answer.status_code == 409
    assert entries(api) == before


def test_a_movement_that_is_refused_leaves_none(api):
    api.customer()
    wallet = api.wallet(funds="10")
    before = entries(api)

    assert api.move(wallet, "debit", "11").status_code == 402
    assert entries(api) == before


def test_a_repeat_by_idempotency_key_leaves_no_other(api):
    for _ in range(3):
        api.post("/v1/customers", json={"name": "Ada"}, headers={"Idempotency-Key": "one"})

    assert len(entries(api)) == 1


def test_what_is_there_already_leaves_no_other(api):
    for _ in range(2):
        api.customer()
    for _ in range(2):
        api.wallet()

    assert [entry["action"] for entry in entries(api)] == [
        "create_customer",
        "get_or_create_wallet",
    ]


def test_an_edit_that_changes_nothing_leaves_none(api):
    customer = api.customer(name="Ada")

    api.put(f"/v1/customers/{customer['id']}", json={"name": "Ada"})

    assert len(entries(api)) == 1


def test_a_repeated_movement_leaves_no_other(api):
    api.customer()
    wallet = api.wallet()
    for headers in ({}, {}, {"Idempotency-Key": "one"}):
        api.http.headers.update(headers)
        api.move(wallet, "credit", "5", "deposit", key="same")

    moved = [entry for entry in entries(api) if entry["action"] == "credit_wallet"]

    assert [changed(entry) for entry in moved] == [{"balance": ("0.000000", "5.000000")}]


def test_movements_that_share_a_transaction_leave_one_each(api):
    api.customer()
    wallet = api.wallet(funds="100")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: api.move(wallet, "debit", "1"), range(40)))

    moved = [entry for entry in entries(api) if entry["action"] == "debit_wallet"]

    assert {answer.status_code for answer in answers} == {200}
    assert [changed(entry)["balance"] for entry in moved] == [
        (f"{100 - number}.000000", f"{99 - number}.000000") for number in range(40)
    ]
    assert {entry["resource_id"] for entry in moved} == {wallet["id"]}


def test_both_ways_of_a_movement_tell_the_same(api):
    api.customer()
    wallet = api.wallet()
    api.move(wallet, "credit", "5", "deposit")
    api.http.headers["Idempotency-Key"] = "one"
    api.move(wallet, "credit", "5", "deposit")

    first, second = entries(api)[-2:]

    own = {"id", "sequence", "before", "after", "request_id", "chain_hash", "created_at"}
    assert {k: v for k, v in first.items() if k not in own} == {
        k: v for k, v in second.items() if k not in own
    }
    assert (first["after"], second["before"]) == ({"balance": "5.000000"},) * 2


def test_events_leave_none(api):
    api.customer()
    api.ingest({"event_name": "call", "customer_id": "c1", "idempotency_key": "call-1"})

    assert [entry["action"] for entry in entries(api)] == ["create_customer"]


def test_what_happens_by_itself_leaves_none(api):
    api.subscribed_customer()
    before = len(entries(api))

    later = {"to": "2027-03-01T00:00:00Z"}
    api.post("/v1/test-clock/advance", json=later)

    assert api.get("/v1/invoices").json()["count"] > 0
    assert [entry["action"] for entry in entries(api)[before:]] == ["advance_test_clock"]


def test_a_staged_request_that_is_repeated_leaves_one(api):
    later, headers = {"to": "2027-03-01T00:00:00Z"}, {"Idempotency-Key": "one"}
    for _ in range(2):
        assert api.post("/v1/test-clock/advance", json=later, headers=headers).status_code == 200

    assert len(entries(api)) == 1


def test_a_reset_of_the_test_data_keeps_the_log(api):
    api.customer()

    api.post("/v1/test-data/reset")

    assert [entry["action"] for entry in entries(api)] == ["create_customer", "reset_test_data"]


def test_a_persons_own_account_is_in_no_log(backend):
    with Person.signed_in(backend) as ada:
        org_id = ada.found()["organization"]["id"]
        ada.put("/user/profile", json={"full_name": "Ada O."})
        log = ada.get("/audit-logs", params={"org_id": org_id}).json()["audit_logs"]

    assert [entry["action"] for entry in log] == ["found_organization"]


def test_a_secret_in_metadata_is_masked(api):
    customer = api.customer(metadata={"crm": {"api_key": "k-1", "id": 7}})

    api.put(f"/v1/customers/{customer['id']}", json={"metadata": {"crm": {"api_key": "k-2"}}})

    first, second = entries(api)
    assert first["after"]["metadata"] == {"crm": {"api_key": "•••", "id": 7}}
    assert second["before"]["metadata"] == {"crm": {"api_key": "•••", "id": 7}}
    assert second["after"]["metadata"] == {"crm": {"api_key": "•••"}}


def test_a_long_user_agent_is_cut(api):
    api.post("/v1/customers", json=CUSTOMER, headers={"User-Agent": "x" * 2_000})

    assert entries(api)[0]["user_agent"] == "x" * 499 + "…"


def test_two_changes_at_once_each_tell_their_own(api):
    customer = api.customer(name="0")

    def rename(number):
        return api.put(f"/v1/customers/{customer['id']}", json={"name": str(number)})

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(rename, range(1, 13)))

    edits = [changed(entry)["name"] for entry in entries(api)[1:]]
    assert len(edits) == 12
    assert sorted(after for _, after in edits) == sorted(str(number) for number in range(1, 13))
    # Each begins where another one ended, in whatever order they were linked.
    assert {before for before, _ in edits} <= {"0", *(after for _, after in edits)}
    assert len({before for before, _ in edits}) == 12


def test_another_organisation_sees_none_of_it(backend, api):
    api.customer()
    with Api.of_new_organization(backend) as other:
        other.customer()

        assert [entry["org_id"] for entry in entries(other)] == [str(other.org_id)]
