"""Portal tokens: made, listed and revoked; what one opens, and until when."""

from datetime import timedelta

import pytest

from monigo.core.times import parse_instant
from monigo.tenancy import Scope
from support.api import Api
from support.portal import Holder, client_of
from support.verification import faults

NOT_VALID = (401, "invalid_portal_token")


@pytest.fixture
def ada(api):
    api.customer("ada", name="Ada Obi", email="ada@example.com")
    return Holder(api, "ada", label="mail of May")


def code(answer):
    return answer.status_code, answer.json().get("code")


def test_a_link_says_whose_portal_it_is(api, ada):
    me = ada.read("me")

    assert (me["customer_name"], me["customer_email"]) == ("Ada Obi", "ada@example.com")
    assert (me["org_id"], me["is_test"], me["token_label"]) == (
        str(api.org_id),
        True,
        "mail of May",
    )
    assert me["expires_at"] == ada.made["expires_at"]


def test_a_link_lasts_90_days_and_its_address_names_it(ada):
    made = ada.made
    lasts = parse_instant(made["expires_at"]) - parse_instant(made["created_at"])

    assert lasts == timedelta(days=90)
    assert len(made["token"]) == 64
    assert made["portal_url"].endswith(f"/portal/{made['token']}")


@pytest.mark.parametrize(
    ("given", "wanted"),
    [(None, None), ("2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z")],
)
def test_another_end_can_be_chosen_and_null_is_for_ever(api, given, wanted):
    api.customer("ada")

    assert Holder(api, "ada", expires_at=given).made["expires_at"] == wanted


@pytest.mark.usefixtures("ada")
def test_an_empty_end_is_none_that_was_chosen(api):
    made = Holder(api, "ada", expires_at="").made

    assert made["expires_at"] is not None


def test_a_revoked_link_opens_nothing_at_the_next_request(api, ada):
    before = ada.get("me").status_code

    revoked = api.http.delete(f"/v1/portal/tokens/{ada.made['id']}")

    assert (before, revoked.status_code) == (200, 200)
    assert code(ada.get("me")) == NOT_VALID
    assert api.get("/v1/portal/tokens").json()["tokens"] == []


def test_a_link_that_ended_opens_nothing(api, ada):
    end = parse_instant(ada.made["expires_at"])
    api.backend.clock.advance(seconds=(end - api.backend.clock.now()).total_seconds() - 1)
    before = ada.get("me").status_code

    api.backend.clock.advance(seconds=1)

    assert before == 200
    assert code(ada.get("me")) == NOT_VALID


def test_the_link_of_a_deleted_customer_opens_nothing(api, ada):
    api.http.delete("/v1/customers/ada")

    assert code(ada.get("me")) == NOT_VALID


def test_the_link_of_a_deleted_customer_does_not_open_the_portal_of_its_namesake(api, ada):
    api.http.delete("/v1/customers/ada")
    api.customer(ada.made["customer_id"], name="Eve Obi")

    assert code(ada.get("me")) == NOT_VALID


@pytest.mark.parametrize("token", ["", "0" * 64, "g" * 64, "a" * 63, "é" * 64])
def test_what_is_no_token_opens_nothing(api, token):
    http = client_of(api.backend, token.encode("latin-1"))

    assert code(http.get("/api/v1/portal/me")) == NOT_VALID


@pytest.mark.usefixtures("ada")
def test_a_link_that_may_only_look_changes_nothing(api):
    reader = Holder(api, "ada", access="read")
    wallet = api.wallet("ada")

    answer = reader.post(f"wallets/{wallet['id']}/fund", amount="100")

    assert code(answer) == (403, "portal_read_only")
    assert reader.read("me")["access"] == "read"


def test_links_are_listed_with_their_tokens_for_who_may_make_them(api, ada):
    own = api.get("/v1/portal/tokens", params={"customer_id": "ada"}).json()
    with Api.of(api.backend, api.org_id, is_test=True, scopes=[Scope.READ]) as reading:
        others = reading.get("/v1/portal/tokens").json()

    assert [one["token"] for one in own["tokens"]] == [ada.made["token"]]
    assert [(one["token"], one["portal_url"]) for one in others["tokens"]] == [("", "")]


def test_when_a_link_was_used_is_known_to_the_minute(api, ada):
    ada.read("me")
    first = api.get("/v1/portal/tokens").json()["tokens"][0]["last_used_at"]
    api.backend.clock.advance(seconds=30)
    ada.read("me")
    same = api.get("/v1/portal/tokens").json()["tokens"][0]["last_used_at"]
    api.backend.clock.advance(seconds=31)
    ada.read("me")
    later = api.get("/v1/portal/tokens").json()["tokens"][0]["last_used_at"]

    assert first is not None
    assert (same == first, later > first) == (True, True)


@pytest.mark.usefixtures("ada")
def test_a_session_opens_the_portal_for_one_visit(api):
    body = {"customer_external_id": "ada", "expires_in": 60}
    session = api.make("/v1/portal/sessions", body, "session")
    http = client_of(api.backend, session["token"])
    during = http.get("/api/v1/portal/me").status_code

    api.backend.clock.advance(seconds=60)

    assert during == 200
    assert code(http.get("/api/v1/portal/me")) == NOT_VALID
    assert len(api.get("/v1/portal/tokens").json()["tokens"]) == 1


@pytest.mark.usefixtures("ada")
def test_a_session_that_ended_is_removed_as_the_next_is_made(api):
    body = {"customer_external_id": "ada", "expires_in": 60}
    api.make("/v1/portal/sessions", body, "session")
    api.backend.clock.advance(days=2)

    api.make("/v1/portal/sessions", body, "session")

    rows = api.backend.sql(
        "SELECT kind, (SELECT count(*) FROM portal_token_lookups WHERE org_id = $1) AS found"
        " FROM portal_tokens WHERE org_id = $1 ORDER BY kind",
        api.org_id,
    )
    assert [tuple(row) for row in rows] == [("link", 2), ("session", 2)]
    assert faults(api.backend, api.tenant) == []


@pytest.mark.usefixtures("ada")
def test_a_repeat_with_the_same_key_gets_the_same_token(api):
    body = {"customer_external_id": "ada"}
    headers = {"Idempotency-Key": "once"}

    first, again = (
        api.http.post("/v1/portal/tokens", json=body, headers=headers) for _ in range(2)
    )

    assert again.json() == first.json()
    rows = api.get("/v1/portal/tokens").json()["tokens"]
    assert len(rows) == 2


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "customer_external_id"),
        ({"customer_id": "ada", "customer_external_id": "eve"}, "customer_external_id"),
        ({"customer_id": "ada", "label": "x" * 201}, "label"),
        ({"customer_id": "ada", "access": "all"}, "access"),
        ({"customer_id": "ada", "expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"customer_id": "ada", "expires_at": "soon"}, "expires_at"),
    ],
)
@pytest.mark.usefixtures("ada")
def test_a_bad_link_is_refused_by_its_field(api, body, field):
    answer = api.post("/v1/portal/tokens", json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])


@pytest.mark.parametrize("seconds", [59, 3_601, "900s"])
@pytest.mark.usefixtures("ada")
def test_a_session_lasts_a_minute_to_an_hour(api, seconds):
    body = {"customer_id": "ada", "expires_in": seconds}

    answer = api.post("/v1/portal/sessions", json=body)

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["expires_in"])


@pytest.mark.parametrize(
    "fault",
    [
        "DELETE FROM portal_token_lookups WHERE org_id = $1",
        "DELETE FROM portal_tokens WHERE org_id = $1",
    ],
)
def test_verification_misses_a_token_or_its_look_up(api, ada, fault):
    api.backend.sql(fault, api.org_id)

    ((what, subject, *_),) = faults(api.backend, api.tenant)

    assert (what, subject) == ("look-up of a portal token", ada.made["id"])
