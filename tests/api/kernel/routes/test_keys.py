"""API keys: who may do what, and when no more."""

from datetime import timedelta

import httpx
import pytest

from monigo import tenancy
from monigo.tenancy import Scope
from support.api import Api, event

INGEST = ("POST", "/v1/ingest", {"events": [event("1")]})
READS = [
    ("GET", "/v1/customers", None),
    ("GET", "/v1/customers/c1", None),
    ("GET", "/v1/metrics", None),
    ("GET", "/v1/plans", None),
    ("GET", "/v1/subscriptions", None),
    ("GET", "/v1/invoices", None),
    ("GET", "/v1/usage", None),
    ("GET", "/api/v1/customers", None),
]
WRITES = [
    ("POST", "/v1/customers", {}),
    ("PUT", "/v1/customers/c1", {}),
    ("POST", "/v1/metrics", {"name": "m", "event_name": "m"}),
    ("POST", "/v1/plans", {"name": "P"}),
    ("DELETE", "/v1/customers/c1", None),
    ("POST", "/api/v1/plans", {"name": "P"}),
]
MOVE = ("POST", "/v1/wallets/0197b3c0-0000-7000-8000-000000000000/credit", {})
ADMINS = [("GET", "/v1/organization", None), ("PATCH", "/v1/organization", {})]


def issue(backend, org_id, **fields):
    return backend.run(
        tenancy.issue_key(
            backend.services.database, org_id, **{"name": "k", "is_test_mode": True, **fields}
        )
    )


def statuses(api, requests):
    return [
        api.http.request(method, path, json=body).status_code for method, path, body in requests
    ]


@pytest.mark.parametrize(
    ("scope", "allowed", "forbidden"),
    [
        (Scope.INGEST, [INGEST], READS + WRITES + ADMINS),
        (Scope.READ, READS, [INGEST, *WRITES, *ADMINS]),
        (Scope.WRITE, WRITES, [INGEST, *READS, *ADMINS]),
        (Scope.ADMIN, ADMINS, [INGEST, *READS, *WRITES]),
    ],
)
def test_a_key_may_do_what_its_scope_says_and_no_more(api, backend, scope, allowed, forbidden):
    api.customer("c1")

    with Api.of(backend, api.org_id, is_test=True, scopes=[scope]) as limited:
        refused = statuses(limited, forbidden)
        done = statuses(limited, allowed)

    assert refused == [403] * len(forbidden)
    assert {status // 100 for status in done} == {2}


def test_a_forbidden_request_names_the_scope_it_lacks(api, backend):
    with Api.of(backend, api.org_id, is_test=True, scopes=[Scope.READ]) as reader:
        response = reader.post("/v1/customers", json={})

    assert response.json() == {
        "error": "this API key lacks the scope write",
        "code": "scope_missing",
    }
    assert api.get("/v1/customers").json()["total"] == 0


@pytest.mark.parametrize(("method", "path", "body"), [INGEST, READS[0], WRITES[0], ADMINS[0]])
def test_a_revoked_key_ends_at_once(api, backend, method, path, body):
    api.customer("c1")
    issued = issue(backend, api.org_id)
    with Api(backend, api.org_id, issued.secret, is_test=True) as client:
        before = client.http.request(method, path, json=body)
        backend.run(
            tenancy.revoke_key(
                backend.services.database, org_id=api.org_id, api_key_id=issued.key.id
            )
        )
        after = client.http.request(method, path, json=body)

    assert (before.is_success, after.status_code) == (True, 401)
    assert after.headers["www-authenticate"] == "Bearer"


def test_a_key_that_is_revoked_again_ended_when_it_was_revoked_first(api, backend):
    issued = issue(backend, api.org_id)
    revoked = []
    for _ in range(2):
        revoked.append(
            backend.run(
                tenancy.revoke_key(
                    backend.services.database, org_id=api.org_id, api_key_id=issued.key.id
                )
            ).revoked_at
        )
        backend.clock.advance(hours=1)

    assert revoked[0] is not None
    assert revoked[0] == revoked[1]


@pytest.mark.parametrize(("method", "path", "body"), [INGEST, READS[0], WRITES[0], ADMINS[0]])
def test_an_expired_key_ends_at_once(api, backend, method, path, body):
    api.customer("c1")
    expires_at = backend.clock.now() + timedelta(hours=1)
    issued = issue(backend, api.org_id, expires_at=expires_at)
    with Api(backend, api.org_id, issued.secret, is_test=True) as client:
        before = client.http.request(method, path, json=body)
        backend.clock.advance(hours=1)
        after = client.http.request(method, path, json=body)

    assert (before.is_success, after.status_code) == (True, 401)


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic eDp5",
        f"Bearer mk_test_{'0' * 64}",
        f"Bearer mk_live_{'0' * 64}",
        f"Bearer mk_test_{'0' * 63}ä".encode(),
        f"mk_test_{'0' * 64}",
    ],
)
@pytest.mark.parametrize(("method", "path", "body"), [INGEST, READS[0], WRITES[0], READS[-1]])
def test_without_a_known_key_nothing_opens(backend, header, method, path, body):
    headers = {} if header is None else {"Authorization": header}

    response = httpx.request(method, f"{backend.url}{path}", json=body, headers=headers)

    assert (response.status_code, response.json()) == (
        401,
        {"error": "missing or invalid API key", "code": "invalid_credential"},
    )


@pytest.mark.parametrize(
    "header", ["Basic {}", "Token {}", "mk {}", "Bearer: {}", "Bearer{}", "{}", "ApiKey {}"]
)
@pytest.mark.parametrize("call", [INGEST, READS[0], WRITES[0], READS[-1], MOVE])
def test_a_valid_key_opens_nothing_under_another_scheme(api, backend, header, call):
    method, path, body = call
    headers = {"Authorization": header.format(api.secret)}

    response = httpx.request(method, f"{backend.url}{path}", json=body, headers=headers)

    assert (response.status_code, response.json()["code"]) == (401, "invalid_credential")
    assert response.headers["www-authenticate"] == "Bearer"
    assert api.get("/v1/customers").json()["total"] == 0


@pytest.mark.parametrize("place", ["X-API-Key", "Proxy-Authorization", "api_key"])
def test_a_valid_key_opens_nothing_from_another_place(api, backend, place):
    bearer = f"Bearer {api.secret}"

    response = httpx.get(
        f"{backend.url}/v1/customers",
        headers={place: bearer},
        params={"api_key": api.secret, "access_token": api.secret},
    )

    assert response.status_code == 401


def test_the_schemes_name_is_written_in_any_case(api, backend):
    response = httpx.get(
        f"{backend.url}/v1/customers", headers={"Authorization": f"bEaReR {api.secret}"}
    )

    assert response.status_code == 200


def test_an_altered_key_opens_nothing(api, backend):
    altered = api.secret[:-1] + ("0" if api.secret[-1] != "0" else "1")

    response = httpx.get(
        f"{backend.url}/v1/customers", headers={"Authorization": f"Bearer {altered}"}
    )

    assert response.status_code == 401


@pytest.mark.parametrize("is_test", [True, False])
def test_a_keys_prefix_tells_its_mode(api, backend, is_test):
    issued = issue(backend, api.org_id, is_test_mode=is_test)

    assert issued.secret.startswith("mk_test_" if is_test else "mk_live_")


@pytest.fixture(params=["another organisation", "the other mode"])
def stranger(api, backend, request):
    """A client with all scopes that must see nothing of `api`'s."""
    client = (
        Api.of_new_organization(backend)
        if request.param == "another organisation"
        else Api.of(backend, api.org_id, is_test=False)
    )
    with client:
        yield client


@pytest.fixture
def paths(api):
    """Where one of everything is."""
    customer, metric, plan, subscription = api.subscribed_customer()
    api.ingest(event("1"))
    draft = api.draft(subscription["id"])
    return {
        "customers": customer["id"],
        "metrics": metric["id"],
        "plans": plan["id"],
        "subscriptions": subscription["id"],
        "invoices": draft["id"],
    }


def test_a_stranger_sees_nothing(paths, stranger):
    lists = [stranger.get(f"/v1/{collection}").json()["total"] for collection in paths]
    ones = [stranger.get(f"/v1/{collection}/{known}") for collection, known in paths.items()]

    assert lists == [0] * 5
    assert [one.status_code for one in ones] == [404] * 5
    assert stranger.get("/v1/usage").json() == {"rollups": [], "count": 0}


def test_a_stranger_changes_nothing(api, paths, stranger):
    before = [api.get(f"/v1/{collection}").json() for collection in paths]
    invoice = f"/v1/invoices/{paths['invoices']}"

    answers = statuses(
        stranger,
        [
            ("PUT", f"/v1/customers/{paths['customers']}", {"name": "X"}),
            ("PUT", f"/v1/metrics/{paths['metrics']}", {"name": "X"}),
            ("PUT", f"/v1/plans/{paths['plans']}", {"name": "X"}),
            ("PATCH", f"/v1/subscriptions/{paths['subscriptions']}", {"status": "canceled"}),
            ("POST", f"{invoice}/finalize", None),
            ("POST", f"{invoice}/void", None),
            *[("DELETE", f"/v1/{collection}/{known}", None) for collection, known in paths.items()],
        ],
    )

    assert answers == [404] * len(answers)
    assert [api.get(f"/v1/{collection}").json() for collection in paths] == before


def test_a_stranger_can_refer_to_nothing(paths, stranger):
    own = stranger.customer("own")
    price = {"metric_id": paths["metrics"], "model": "flat_unit", "unit_price": "1"}
    subscription = {"customer_id": own["id"], "plan_id": paths["plans"]}

    answers = [
        stranger.post("/v1/plans", json={"name": "P", "prices": [price]}),
        stranger.post("/v1/subscriptions", json=subscription),
        stranger.post("/v1/subscriptions", json={**subscription, "customer_id": "c1"}),
        stranger.post("/v1/invoices/generate", json={"subscription_id": paths["subscriptions"]}),
        stranger.post("/v1/ingest", json={"events": [event("1", paths["customers"])]}),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 404, 400]


@pytest.mark.usefixtures("paths")
def test_external_ids_and_event_keys_are_ones_own(stranger):
    stranger.customer("c1", name="Somebody else")

    answer = stranger.ingest(event("1"))

    assert answer == {"ingested": ["1"], "duplicates": []}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 200),
        ("org_id=", 200),
        ("org_id={own}", 200),
        ("org_id={own}&is_test=true", 200),
        ("is_test=false", 403),
        ("org_id=00000000-0000-7000-8000-000000000000", 403),
        ("org_id=nonsense", 403),
        ("is_test=maybe", 400),
    ],
)
def test_the_dashboards_face_takes_a_key_of_the_named_organization_and_mode(api, query, status):
    response = api.get(f"/api/v1/customers?{query.format(own=api.org_id)}")

    assert response.status_code == status


@pytest.mark.parametrize(("named", "status"), [("own", 201), ("other", 403), ("none", 201)])
def test_the_dashboards_face_looks_into_the_body_too(api, named, status):
    org_id = {"own": str(api.org_id), "other": "00000000-0000-7000-8000-000000000000", "none": ""}

    response = api.post("/api/v1/customers", json={"org_id": org_id[named]})

    assert response.status_code == status
    assert api.get("/v1/customers").json()["total"] == {201: 1, 403: 0}[status]
