"""Connections through the API, against simulated providers over real HTTP."""

import pytest

from monigo import tenancy
from monigo.infra.db import Tenant
from monigo.payments import connections
from monigo.payments.connections import Purpose
from monigo.providers import port as p
from support.agenda import work
from support.api import Api
from support.payments import PROVIDERS, ask, connect, keys_of
from support.simulator import checkout, lookup

PATH = "/v1/payment-connections"
SECRET_TABLES = (
    *("payment_connections", "payment_credentials", "provider_calls", "idempotency_records"),
    *("audit_entries", "agenda", "outbox_facts"),
)


def in_transaction(api, work, *, is_test=True):
    """What a function does in a transaction of the organisation."""

    async def run():
        tenant = Tenant(api.org_id, is_test)
        async with api.backend.services.database.transaction(tenant) as tx:
            return await work(tx)

    return api.backend.run(run())


def picked(api, *, is_test=True, purpose=Purpose.COLLECT, currency="NGN", **more):
    found = in_transaction(
        api,
        lambda tx: connections.pick(tx, currency=currency, purpose=purpose, **more),
        is_test=is_test,
    )
    return found and str(found.id)


def secrets_of(api, provider):
    services = api.backend.services
    found = api.backend.run(services.desk.webhook_secrets(services.database, api.org_id, provider))
    return [one.secrets for one in found]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_account_is_connected_once_the_provider_knows_its_keys(api, provider):
    connection = connect(api, provider)

    assert connection["is_enabled"] is True
    assert connection["health"]["state"] == "healthy"
    assert connection["health"]["balance"]["NGN"] == "100000000.000000"
    assert "NGN" in connection["default_for"]["collect"]
    assert api.get(f"{PATH}/{connection['id']}").json() == {"payment_connection": connection}
    assert api.get(PATH).json()["payment_connections"] == [connection]


@pytest.mark.parametrize(
    ("provider", "field", "key", "fault"),
    [
        ("paystack", "test_secret_key", "sk_live_1", "is a live key"),
        ("paystack", "live_secret_key", "sk_test_1", "is a test key"),
        ("paystack", "test_public_key", "pk_live_1", "is a live key"),
        ("paystack", "test_secret_key", "pk_test_1", "must be a test key of Paystack"),
        ("paystack", "test_secret_key", "sk_test_é", "must be printable characters"),
        ("flutterwave", "test_secret_key", "FLWSECK-1-X", "is a live key"),
        ("flutterwave", "live_secret_key", "FLWSECK_TEST-1-X", "is a test key"),
        ("monnify", "test_public_key", "MK_PROD_1", "is a live key"),
        ("monnify", "test_public_key", "", "must be a test key of Monnify"),
    ],
)
def test_keys_of_the_wrong_mode_are_refused_by_their_field(api, provider, field, key, fault):
    own = keys_of(provider, api.org_id) if field.startswith("test") else {}
    if not key:
        own.pop(field)

    answer = api.post(PATH, json={"provider": provider, **own, field: key})

    assert answer.status_code == 400
    assert fault in answer.json()["details"][field]
    assert api.get(PATH).json()["total"] == 0


def test_all_faults_are_named_at_once(api):
    body = {
        "provider": "paystack",
        "live_secret_key": "sk_test_1",
        "supported_currencies": ["NGN", "XXX"],
        "default_for": {"collect": ["GHS"]},
        "forward_url": "ftp://shop.example",
    }

    answer = api.post(PATH, json=body)

    assert answer.status_code == 400
    assert set(answer.json()["details"]) == {
        *("live_secret_key", "supported_currencies", "default_for.collect", "forward_url"),
    }
    assert api.post(PATH, json={"provider": "stripe"}).json()["details"].keys() == {"provider"}


def test_a_provider_that_does_not_answer_leaves_nothing(api):
    body = {"provider": "paystack", **keys_of("paystack", api.org_id)}
    headers = {"Idempotency-Key": "again"}
    api.backend.simulated.next("paystack", "balance", "500")

    first = api.post(PATH, json=body, headers=headers)
    second = api.post(PATH, json=body, headers=headers)

    assert (first.status_code, first.json()["code"]) == (503, "provider_unavailable")
    assert second.status_code == 201
    assert api.get(PATH).json()["total"] == 1


def test_no_secret_is_shown_or_kept_in_the_clear(api, caplog):
    secret, webhook = f"FLWSECK_TEST-{api.org_id.hex}-X", f"hash-{api.org_id.hex}"
    body = {"provider": "flutterwave", "is_test_mode": True, **keys_of("flutterwave", api.org_id)}
    headers = {"Idempotency-Key": "kept"}

    answers = [
        api.post(PATH, json=body, headers=headers),
        api.post(PATH, json=body, headers=headers),
        api.get(PATH),
        api.get("/api/v1/audit-logs"),
    ]
    connection = answers[0].json()["payment_connection"]
    ask(api, connection, p.Balance())
    answers.append(api.get(f"{PATH}/{connection['id']}/calls"))
    answers.append(api.put(f"{PATH}/{connection['id']}", json=body | {"label": "x" * 256}))

    kept = " ".join(
        str(row["row"])
        for table in SECRET_TABLES
        for row in api.backend.sql(
            f"SELECT to_jsonb(t)::text AS row FROM {table} AS t WHERE org_id = $1", api.org_id
        )
    )
    shown = " ".join(answer.text for answer in answers) + caplog.text + repr(connection)
    assert answers[1].json() == answers[0].json()
    for hidden in (secret, webhook, secret.encode().hex(), webhook.encode().hex()):
        assert hidden not in kept
        assert hidden not in shown


def test_keys_of_another_account_are_refused(api):
    connection = connect(api)
    path = f"{PATH}/{connection['id']}"
    other = {"test_secret_key": f"sk_test_other{api.org_id.hex}"}
    unproven = api.put(path, json=other)
    reference = f"mo{api.org_id.hex[:30]}"
    ask(api, connection, checkout(reference))
    api.backend.simulated.pay("paystack", reference)
    ask(api, connection, lookup(p.Kind.CHARGE, reference))

    refused = api.put(path, json=other)
    rotated = {"test_secret_key": f"sk_test_new{api.org_id.hex}"}
    before = keys_of("paystack", api.org_id)["test_secret_key"]
    api.backend.simulated.control(
        "rotate",
        provider="paystack",
        secret_key=before,
        new_secret_key=rotated["test_secret_key"],
    )
    accepted = api.put(path, json=rotated)

    assert (unproven.status_code, unproven.json()["code"]) == (409, "other_account")
    assert (refused.status_code, refused.json()["code"]) == (409, "other_account")
    assert accepted.status_code == 200
    # Who signed until now is heard for 72 hours more.
    assert secrets_of(api, "paystack") == [(rotated["test_secret_key"], before)]
    api.backend.clock.advance(hours=72, seconds=1)
    assert secrets_of(api, "paystack") == [(rotated["test_secret_key"],)]


def test_a_webhook_secret_is_replaced_with_an_overlap(api):
    connection = connect(api, "flutterwave")
    before = f"hash-{api.org_id.hex}"

    answer = api.put(f"{PATH}/{connection['id']}", json={"webhook_signing_secret": "another"})

    shown = answer.json()["payment_connection"]["test"]
    assert (shown["has_webhook_signing_secret"], bool(shown["previous_secret_until"])) == (
        True,
    ) * 2
    assert secrets_of(api, "flutterwave") == [("another", before)]


def test_what_is_switched_off_starts_nothing_and_is_still_asked(api):
    connection = connect(api)
    assert picked(api) == connection["id"]

    off = api.post(f"{PATH}/{connection['id']}/toggle").json()["payment_connection"]

    assert off["is_enabled"] is False
    assert picked(api) is None
    started = ask(api, connection, checkout(f"mo{api.org_id.hex[:30]}"))
    assert (type(started), started.code) == (p.Failed, p.FailureCode.NOT_SENT)
    assert isinstance(ask(api, connection, p.Balance()), p.Succeeded)
    assert len(secrets_of(api, "paystack")) == 1
    api.post(f"{PATH}/{connection['id']}/toggle")
    assert picked(api) == connection["id"]


def test_the_default_of_a_currency_is_picked_first(api):
    first, second = connect(api), connect(api, "flutterwave")

    assert picked(api) == first["id"]
    assert picked(api, currency="KES") == second["id"]
    assert picked(api, provider="flutterwave") == second["id"]
    assert picked(api, is_test=False) is None
    assert picked(api, currency="EUR", purpose=Purpose.PAY_OUT) is None
    api.put(f"{PATH}/{second['id']}", json={"default_for": {"collect": ["NGN"]}})
    assert picked(api) == second["id"]
    assert api.get(f"{PATH}/{first['id']}").json()["payment_connection"]["default_for"] == {
        "collect": ["USD"],
        "pay_out": ["NGN"],
    }


def test_a_suspended_organisation_starts_nothing(api):
    connect(api)
    database = api.backend.services.database

    api.backend.run(tenancy.suspend_organization(database, api.org_id))

    assert picked(api) is None
    assert len(secrets_of(api, "paystack")) == 1


def test_monnify_is_picked_for_what_its_settings_allow(api):
    connection = connect(api, "monnify", settings={"contract_code": "4934121686"})

    assert picked(api) == connection["id"]
    assert picked(api, purpose=Purpose.PAY_OUT) is None


def test_a_deleted_connection_leaves_no_keys(api):
    connection = connect(api)
    path = f"{PATH}/{connection['id']}"

    assert api.delete(path).status_code == 200

    answers = [
        api.get(path),
        api.get(f"{path}/calls"),
        api.delete(path),
        api.post(f"{path}/toggle"),
    ]
    assert [answer.json()["code"] for answer in answers] == ["payment_connection_not_found"] * 4
    assert picked(api) is None
    assert secrets_of(api, "paystack") == []
    rows = api.backend.sql(
        "SELECT keys_ciphertext FROM payment_credentials WHERE org_id = $1", api.org_id
    )
    assert [row["keys_ciphertext"] for row in rows] == [None]


def test_anothers_connection_is_unknown(api, backend):
    connection = connect(api)
    with Api.of_new_organization(backend) as other:
        path = f"{PATH}/{connection['id']}"
        answers = [
            *(other.get(path), other.get(f"{path}/calls"), other.delete(path)),
            *(other.put(path, json={"label": "mine"}), other.post(f"{path}/toggle")),
        ]

        assert [answer.status_code for answer in answers] == [404] * 5
        assert other.get(PATH).json()["total"] == 0


def test_calls_are_shown_without_secrets_for_thirty_days(api):
    connection = connect(api)
    ask(api, connection, p.Resolve(code="044", number="0690000031"))

    path = f"{PATH}/{connection['id']}/calls"
    call = api.get(path).json()["calls"][0]

    assert (call["verb"], call["method"], call["status"]) == ("resolve", "GET", 200)
    assert "0690000031" not in call["path"] + call["received"]
    assert "0031" in call["received"]
    api.backend.clock.advance(days=32)
    work(api.backend, api.tenant, connections.FORGET_CALLS)
    assert api.get(path).json()["calls"] == []


def test_health_says_how_the_provider_answered(api):
    connection = connect(api)
    path = f"{PATH}/{connection['id']}"
    api.backend.simulated.next("paystack", "balance", "not_json")

    ask(api, connection, p.Balance())
    failing = api.get(path).json()["payment_connection"]["health"]
    ask(api, connection, p.Balance())
    healthy = api.get(path).json()["payment_connection"]["health"]

    assert (failing["state"], healthy["state"]) == ("failing", "healthy")
    assert failing["last_error"].startswith("unreadable")
    assert failing["last_success_at"] is not None


def test_what_a_provider_can_do_is_listed(api):
    found = api.get(f"{PATH}/provider-currencies", params={"provider": "monnify"}).json()

    assert (found["collect"], found["pay_out"], found["currencies"]) == (["NGN"],) * 3
    assert "disable_checkout" not in found["verbs"]
    answer = api.get(f"{PATH}/provider-currencies", params={"provider": "stripe"})
    assert answer.json()["details"] == {"provider": "must be a known provider"}
