"""No key reaches another tenant's data by any route, nor learns that there is any."""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from uuid import uuid4

import pytest

from support.operations import (
    OF_KEYS,
    body_schema,
    id_fields,
    ids_in_queries,
    parameters,
    required_query,
    smallest_body,
)
from support.tenants import fill, make_tenants, rows_of

FACES = ["/v1", "/api/v1"]
INTRUDERS = ["other_organization", "other_mode"]

# Which of A's ids a path's parameter may be.
TARGETS = {
    "customer_id": ["customer_id", "external_id"],
    "metric_id": ["metric_id"],
    "plan_id": ["plan_id"],
    "price_id": ["price_id"],
    "override_id": ["override_id"],
    "alert_id": ["alert_id"],
    "alert_state_id": ["alert_state_id"],
    "subscription_id": ["subscription_id"],
    "invoice_id": ["invoice_id", "final_invoice_id"],
    "bill_id": ["bill_id"],
    "transaction_id": ["charge_id", "transfer_id"],
    "payout_account_id": ["payout_account_id"],
    "payment_method_id": ["payment_method_id"],
    "connection_id": ["connection_id"],
    "simulation_id": ["simulation_id"],
    "mail_suppression_id": ["mail_suppression_id"],
    "portal_token_id": ["portal_token_id"],
    "job_id": ["job_id"],
    "wallet_id": ["wallet_id"],
    "reservation_id": ["reservation_id"],
    "grant_id": ["grant_id"],
    "provider_event_id": ["provider_event_id"],
    "virtual_account_id": ["virtual_account_id"],
    "webhook_endpoint_id": ["webhook_endpoint_id"],
    "webhook_delivery_id": ["webhook_delivery_id"],
    "endpoint_id": ["webhook_endpoint_id"],
    "resource_id": ["customer_id"],
}
# An organisation's, which has it in both modes.
OF_BOTH_MODES = {"connection_id"}
# Names of ours, which are no ids.
NAMES = {"step_id"}
# Answer about the one thing that a query names, and have nothing to say of an unknown one.
ABOUT_ONE = ("/usage/series", "/v1/wallets", "/v1/portal/tokens")
# Names the caller's own organisation; another's is refused with 403.
ORGANIZATION = "org_id"
# Others' ids, which WhatsApp gives.
OF_WHATSAPP = {"phone_number_id", "business_account_id"}
# Tell the time and what is done, and nothing that has an id.
WITHOUT_IDS = {
    "/v1/test-clock",
    "/api/v1/onboarding/progress",
    "/v1/reports/trial-balance",
    "/api/v1/reports/trial-balance",
    "/v1/customer-mails/preview",
    "/api/v1/customer-mails/preview",
    "/v1/alerts/triggered/summary",
    "/api/v1/alerts/triggered/summary",
    "/v1/banks",
    "/api/v1/banks",
    "/v1/payment-connections/provider-currencies",
    "/api/v1/payment-connections/provider-currencies",
    "/v1/whatsapp/notification-settings",
    "/api/v1/whatsapp/notification-settings",
    "/v1/whatsapp/connection",
    "/api/v1/whatsapp/connection",
    "/v1/whatsapp/qr",
    "/api/v1/whatsapp/qr",
}

OVERRIDE = {
    "customer_id": "<customer_id>",
    "price_id": "<price_id>",
    "model": "flat_unit",
    "unit_price": "1",
    "valid_from": "2020-01-01T00:00:00Z",
    "valid_until": "2020-01-02T00:00:00Z",
}
ALERT = {
    "type": "usage_exceeded",
    "scope": "customer",
    "scope_id": "<customer_id>",
    "metric_id": "<metric_id>",
    "thresholds": [{"value": "5"}],
}
OF_PLAN = {**ALERT, "scope": "plan"}
OF_SUBSCRIPTION = {**ALERT, "scope": "subscription"}
AT_THE_END = {"apply_at": "period_end"}
SUBSCRIPTION = {"customer_id": "<customer_id>", "plan_id": "<plan_id>"}
PRICE = {"model": "flat_unit", "unit_price": "1", "metric_id": "<metric_id>"}
SIMULATION = {"plan_id": "<plan_id>", "prices": [PRICE]}
RULE = {"trigger_event": "ride", "recipient_field": "driver", "amount_expression": "fare"}
PAYING = {"name": "P", "plan_type": "payout", "payout_rules": [RULE]}
OF_PAYING = {"plan_id": "paying_plan_id"}
EVENT = {"event_name": "api_call", "idempotency_key": "stolen"}
REFUND = {"reason": "a test"}


class Body(NamedTuple):
    """A field that takes an id: which of A's stands there, and the status that is answered.

    What else there is in the template is the intruder's own.
    """

    method: str
    path: str
    field: str
    target: str
    status: int
    template: dict
    # Which of the intruder's own ids stands in the path in place of another.
    instead: Mapping[str, str] = MappingProxyType({})


BODIES = [
    Body("POST", "/subscriptions", "customer_id", "customer_id", 404, SUBSCRIPTION),
    Body("POST", "/subscriptions", "customer_id", "external_id", 404, SUBSCRIPTION),
    Body("POST", "/subscriptions", "plan_id", "plan_id", 404, SUBSCRIPTION),
    Body(
        "POST", "/plans", "prices[].metric_id", "metric_id", 404, {"name": "P", "prices": [PRICE]}
    ),
    Body("POST", "/plans", "prices[].id", "price_id", 400, {"name": "P", "prices": [PRICE]}),
    Body("PUT", "/plans/{plan_id}", "prices[].metric_id", "metric_id", 404, {"prices": [PRICE]}),
    Body("PUT", "/plans/{plan_id}", "prices[].id", "price_id", 400, {"prices": [PRICE]}),
    Body("POST", "/plans", "payout_rules[].id", "price_id", 400, PAYING),
    Body("PUT", "/plans/{plan_id}", "payout_rules[].id", "price_id", 400, PAYING, OF_PAYING),
    Body("POST", "/price-overrides", "customer_id", "customer_id", 404, OVERRIDE),
    Body("POST", "/price-overrides", "customer_id", "external_id", 404, OVERRIDE),
    Body("POST", "/price-overrides", "price_id", "price_id", 404, OVERRIDE),
    Body("POST", "/alerts", "scope_id", "customer_id", 404, ALERT),
    Body("POST", "/alerts", "scope_id", "external_id", 404, ALERT),
    Body("POST", "/alerts", "scope_id", "plan_id", 404, OF_PLAN),
    Body("POST", "/alerts", "scope_id", "subscription_id", 404, OF_SUBSCRIPTION),
    Body("POST", "/alerts", "metric_id", "metric_id", 404, ALERT),
    Body("POST", "/plans/simulate", "plan_id", "plan_id", 404, {"prices": [PRICE]}),
    Body("POST", "/plans/simulate", "prices[].metric_id", "metric_id", 404, SIMULATION),
    Body("POST", "/plans/simulate", "prices[].id", "price_id", 400, SIMULATION),
    Body("PATCH", "/subscriptions/{subscription_id}", "plan_id", "plan_id", 404, {}),
    Body("PATCH", "/subscriptions/{subscription_id}", "plan_id", "plan_id", 404, AT_THE_END),
    Body("POST", "/bills", "subscription_id", "payout_subscription_id", 404, {}),
    Body("POST", "/wallets", "customer_id", "customer_id", 404, {}),
    Body("POST", "/wallets", "customer_id", "external_id", 404, {}),
    Body("POST", "/whatsapp/test", "customer_id", "customer_id", 404, {}),
    Body("POST", "/whatsapp/test", "customer_id", "external_id", 404, {}),
    Body("POST", "/invoices/generate", "subscription_id", "subscription_id", 404, {}),
    Body(
        "POST",
        "/provider-events/{provider_event_id}/match",
        "invoice_id",
        "final_invoice_id",
        404,
        {},
    ),
    Body("POST", "/provider-events/{provider_event_id}/match", "wallet_id", "wallet_id", 404, {}),
    Body(
        "POST",
        "/invoices/{invoice_id}/refunds",
        "transaction_id",
        "charge_id",
        404,
        {"reason": "-"},
    ),
    Body(
        "PUT",
        "/plans/{plan_id}/payout-splits",
        "splits[].payout_account_id",
        "payout_account_id",
        400,
        {"splits": [{"percentage": "10"}]},
    ),
    Body("POST", "/portal/tokens", "customer_id", "customer_id", 404, {}),
    Body("POST", "/portal/tokens", "customer_external_id", "external_id", 404, {}),
    Body("POST", "/portal/sessions", "customer_id", "customer_id", 404, {}),
    Body("POST", "/portal/sessions", "customer_external_id", "external_id", 404, {}),
    Body("POST", "/ingest", "events[].customer_id", "customer_id", 400, {"events": [EVENT]}),
    Body("POST", "/ingest", "events[].customer_id", "external_id", 400, {"events": [EVENT]}),
]


class InPath(NamedTuple):
    """A parameter of a path that an intruder fills with one of A's ids."""

    intruder: str
    method: str
    path: str
    name: str
    target: str


class InQuery(NamedTuple):
    """A parameter of a query that takes one of A's ids."""

    path: str
    name: str
    target: str


PATH_CASES = [
    InPath(intruder, method, path, parameter, target)
    for intruder in INTRUDERS
    for method, path in OF_KEYS
    for parameter in parameters(path)
    for target in TARGETS.get(parameter, ())
    if intruder == "other_organization" or target not in OF_BOTH_MODES
]
QUERY_CASES = [
    InQuery(path, name, target)
    for (_, path), operation in OF_KEYS.items()
    for name in ids_in_queries(operation)
    for target in TARGETS.get(name, ())
]
READABLE = [
    path for method, path in OF_KEYS if method == "GET" and "{" not in path and "/v1/" in path
]
BODY_CASES = [
    body._replace(path=face + body.path)
    for body in BODIES
    for face in FACES
    if (body.method, face + body.path) in OF_KEYS
]


@pytest.fixture(scope="module")
def tenants(backend):
    made = make_tenants(backend)
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def own_ids(tenants):
    """What the intruders have of their own, so that only the stolen id is at fault."""
    return {name: fill(getattr(tenants, name), f"{name}-1") for name in INTRUDERS}


@pytest.fixture
def untouched(backend, tenants):
    """A's rows are after the test what they were before it."""
    before = rows_of(backend, tenants.a.tenant)
    yield
    assert rows_of(backend, tenants.a.tenant) == before


def filled(body, stolen, own):
    """The template with the intruder's ids, and the stolen one in the field."""
    text = json.dumps(body.template)
    for name, known in own.items():
        text = text.replace(f"<{name}>", known)
    content = json.loads(text)
    place = content
    *outer, name = body.field.split(".")
    for part in outer:
        place = place[part.removesuffix("[]")][0]
    place[name] = stolen
    return content


def path_of(body, own):
    return body.path.format(**{**own, **{name: own[by] for name, by in body.instead.items()}})


def told(response, sent_id):
    """All that an answer tells, but for the id that was sent."""
    headers = {
        name: text
        for name, text in response.headers.items()
        if name not in {"date", "x-request-id", "content-length"}
    }
    return response.status_code, response.text.replace(sent_id, "ID"), headers


def test_every_id_in_a_path_or_query_is_tried():
    in_paths = {name for _, path in OF_KEYS for name in parameters(path)}
    in_queries = {name for operation in OF_KEYS.values() for name in ids_in_queries(operation)}

    assert in_paths | in_queries == {*TARGETS, *NAMES, ORGANIZATION}


def test_every_field_that_takes_an_id_is_tried():
    taken = {
        (method, path, field)
        for (method, path), operation in OF_KEYS.items()
        for field in id_fields(body_schema(operation))
        if field not in {ORGANIZATION, *OF_WHATSAPP}
    }

    assert taken == {(body.method, body.path, body.field) for body in BODY_CASES}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_anothers_id_in_a_path_is_unknown(tenants, own_ids, intruder):
    answers = [
        (case, *stolen_and_unknown(tenants, own_ids[intruder], case))
        for case in PATH_CASES
        if case.intruder == intruder
    ]

    assert [case for case, (status, *_), _ in answers if status != 404] == []
    assert [
        case for case, answer, answer_to_unknown in answers if answer != answer_to_unknown
    ] == []


def stolen_and_unknown(tenants, own, case):
    """What is answered to one of A's ids in a path, and what to an id of nobody's."""
    client = getattr(tenants, case.intruder).http
    body = smallest_body(OF_KEYS[case.method, case.path])
    places = {parameter: own[targets[0]] for parameter, targets in TARGETS.items()}
    return [
        told(
            client.request(case.method, case.path.format(**{**places, case.name: sent}), json=body),
            sent,
        )
        for sent in (tenants.ids[case.target], str(uuid4()))
    ]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_anothers_id_in_a_body_is_unknown(tenants, own_ids, intruder):
    client, own = getattr(tenants, intruder).http, own_ids[intruder]

    answers = [
        (
            body,
            *(
                told(
                    client.request(body.method, path_of(body, own), json=filled(body, sent, own)),
                    sent,
                )
                for sent in (tenants.ids[body.target], str(uuid4()))
            ),
        )
        for body in BODY_CASES
    ]

    assert [body for body, (status, *_), _ in answers if status != body.status] == []
    assert [
        body for body, answer, answer_to_unknown in answers if answer != answer_to_unknown
    ] == []


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_anothers_id_in_a_query_finds_nothing(tenants, own_ids, intruder):
    offending = [
        (case, offences)
        for case in QUERY_CASES
        if (offences := found_by_a_query(tenants, own_ids[intruder], intruder, case))
    ]

    assert offending == []


def found_by_a_query(tenants, own, intruder, case):
    """What is wrong with the answers to one of A's ids in a query."""
    client = getattr(tenants, intruder).http
    query = required_query(OF_KEYS["GET", case.path], own)
    stolen, unknown = tenants.ids[case.target], str(uuid4())
    answer = client.get(case.path, params={**query, case.name: stolen})
    answer_to_unknown = client.get(case.path, params={**query, case.name: unknown})
    checks = {
        "status": answer.status_code == (404 if case.path.endswith(ABOUT_ONE) else 200),
        "shown": not [
            known for known in tenants.ids.values() if known in answer.text and known != stolen
        ],
        "unlike": told(answer, stolen) == told(answer_to_unknown, unknown),
    }
    return [name for name, is_right in checks.items() if not is_right]


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_lists_show_nothing_of_another_tenant(tenants, own_ids, intruder):
    client, own = getattr(tenants, intruder), own_ids[intruder]
    shared = OF_BOTH_MODES if intruder == "other_mode" else set()

    texts = {
        path: client.get(path, params=required_query(OF_KEYS["GET", path], own)).text
        for path in READABLE
    }

    assert [
        (path, name)
        for path, text in texts.items()
        for name, known in tenants.ids.items()
        if known in text and name not in shared
    ] == []


def test_lists_show_a_tenant_its_own(tenants, own_ids):
    own = own_ids["other_mode"]
    known = {*own.values(), str(tenants.a.org_id)}

    texts = {
        path: tenants.other_mode.get(path, params=required_query(OF_KEYS["GET", path], own)).text
        for path in READABLE
        if path not in WITHOUT_IDS
    }

    assert [path for path, text in texts.items() if not any(one in text for one in known)] == []


@pytest.mark.usefixtures("untouched")
def test_naming_another_organisation_is_refused_as_any_other_is(tenants):
    client = tenants.other_organization

    answers = {
        path: [
            told(client.get(path, params={"org_id": named}), named)
            for named in (str(tenants.a.org_id), str(uuid4()))
        ]
        for path in READABLE
        if path.startswith("/api/v1/")
    }

    assert [path for path, ((status, *_), _) in answers.items() if status != 403] == []
    assert [path for path, (one, other) in answers.items() if one != other] == []


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("intruder", INTRUDERS)
def test_anothers_idempotency_key_replays_nothing(tenants, intruder):
    client = getattr(tenants, intruder)
    body, headers = {"external_id": "gone"}, {"Idempotency-Key": "kept"}

    answer = client.post("/v1/customers", json=body, headers=headers)

    assert answer.status_code in {200, 201}
    assert answer.json()["customer"]["org_id"] == str(client.org_id)


def test_names_keys_and_numbers_are_free_in_every_tenant(tenants, own_ids):
    clients = [tenants.a, tenants.other_organization, tenants.other_mode]
    ids = [tenants.ids, own_ids["other_organization"], own_ids["other_mode"]]

    numbers = [
        client.get(f"/v1/invoices/{known['final_invoice_id']}").json()["invoice"]["number"]
        for client, known in zip(clients, ids, strict=True)
    ]
    events = [
        sorted(rollup["event_count"] for rollup in client.get("/v1/usage").json()["rollups"])
        for client in clients
    ]

    assert numbers == ["INV-000001"] * 3
    assert events == [[1, 4]] * 3
