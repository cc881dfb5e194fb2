"""What can't be done is refused, naming the field, and changes nothing."""

from types import SimpleNamespace

import pytest

from support.api import Api, event
from support.refusals import assert_all_refused, assert_refused, send
from support.snapshot import snapshot

UNKNOWN = "0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"
DEEP = "[" * 100_000
NUL, SURROGATE = r"\u0000", r"\ud800"
LONG = "x" * 256
HUGE = "9" * 5_000


@pytest.fixture(scope="module")
def world(backend):
    """An organisation with one of everything. No test here changes it."""
    with Api.of_new_organization(backend) as api:
        customer, metric, plan, subscription = api.subscribed_customer()
        api.ingest(event("taken"))
        draft = api.draft(subscription["id"])
        daily = api.plan(billing_period="daily")
        ids = {
            "customer": customer["id"],
            "metric": metric["id"],
            "plan": plan["id"],
            "price": plan["prices"][0]["id"],
            "daily": daily["id"],
            "subscription": subscription["id"],
            "draft": draft["id"],
            "unknown": UNKNOWN,
            "free": api.customer("free")["id"],
        }
        yield SimpleNamespace(api=api, ids=ids, before=snapshot(api))


CUSTOMER_FAULTS = [
    ('{"external_id": 5}', "external_id"),
    ('{"external_id": ["a"]}', "external_id"),
    (f'{{"external_id": "{LONG}"}}', "external_id"),
    (f'{{"external_id": "{NUL}"}}', "external_id"),
    (f'{{"external_id": "{SURROGATE}"}}', "external_id"),
    ('{"name": {}}', "name"),
    (f'{{"name": "{LONG}"}}', "name"),
    (f'{{"name": "a{NUL}b"}}', "name"),
    (f'{{"name": "{SURROGATE}"}}', "name"),
    ('{"email": true}', "email"),
    (f'{{"email": "{NUL}"}}', "email"),
    (f'{{"email": "{SURROGATE}"}}', "email"),
    ('{"phone": 2348012345678}', "phone"),
    (f'{{"phone": "{NUL}"}}', "phone"),
    (f'{{"phone": "{SURROGATE}"}}', "phone"),
    ('{"metadata": []}', "metadata"),
    ('{"metadata": "x"}', "metadata"),
    ('{"metadata": 1}', "metadata"),
    (f'{{"metadata": {{"a": "{NUL}"}}}}', "metadata"),
    (f'{{"metadata": {{"{NUL}": 1}}}}', "metadata"),
    (f'{{"metadata": {{"a": ["{SURROGATE}"]}}}}', "metadata"),
    (f'{{"metadata": {{"{SURROGATE}": 1}}}}', "metadata"),
    ('{"metadata": {"a": 1e999999999}}', "metadata"),
    ('{"metadata": {"a": 1e-999999999}}', "metadata"),
    ('{"metadata": {"a": 1e99999999999999999999}}', "body"),
    ('{"metadata": {"a": ' + "9" * 1_500 + "}}", "metadata"),
    ('{"metadata": {"a": ' + "[" * 200 + "]" * 200 + "}}", "metadata"),
    ('{"metadata": {"a": "' + "x" * 70_000 + '"}}', "metadata"),
    ('{"name": 1, "email": 2, "metadata": 3}', "name", "email", "metadata"),
]

METRIC_FAULTS = [
    ("{}", "name", "event_name"),
    ('{"name": "m"}', "event_name"),
    ('{"name": "", "event_name": ""}', "name", "event_name"),
    ('{"name": 1, "event_name": "e"}', "name"),
    (f'{{"name": "{NUL}", "event_name": "e"}}', "name"),
    (f'{{"name": "m", "event_name": "{SURROGATE}"}}', "event_name"),
    ('{"name": "m", "event_name": "e", "aggregation": "median"}', "aggregation"),
    ('{"name": "m", "event_name": "e", "aggregation": 1}', "aggregation"),
    ('{"name": "m", "event_name": "e", "aggregation": "sum"}', "aggregation_property"),
    (
        '{"name": "m", "event_name": "e", "aggregation": "unique", "aggregation_property": ""}',
        "aggregation_property",
    ),
    (
        f'{{"name": "m", "event_name": "e", "aggregation_property": "{NUL}"}}',
        "aggregation_property",
    ),
    (f'{{"name": "m", "event_name": "e", "description": "{NUL}"}}', "description"),
    (f'{{"name": "m", "event_name": "e", "description": "{"x" * 5_001}"}}', "description"),
]

PLAN_FAULTS = [
    ("{}", "name"),
    ('{"name": ""}', "name"),
    ('{"name": 1}', "name"),
    (f'{{"name": "{SURROGATE}"}}', "name"),
    (f'{{"name": "P", "description": "{NUL}"}}', "description"),
    ('{"name": "P", "currency": "XQZ"}', "currency"),
    ('{"name": "P", "currency": "ngn"}', "currency"),
    ('{"name": "P", "currency": "naira"}', "currency"),
    ('{"name": "P", "currency": 566}', "currency"),
    ('{"name": "P", "plan_type": "gift"}', "plan_type"),
    ('{"name": "P", "billing_period": "hourly"}', "billing_period"),
    ('{"name": "P", "billing_mode": "barter"}', "billing_mode"),
    ('{"name": "P", "trial_period_days": -1}', "trial_period_days"),
    ('{"name": "P", "trial_period_days": 731}', "trial_period_days"),
    ('{"name": "P", "trial_period_days": 1.5}', "trial_period_days"),
    ('{"name": "P", "trial_period_days": "seven"}', "trial_period_days"),
    ('{"name": "P", "trial_period_days": 1e999999999}', "trial_period_days"),
    ('{"name": "P", "trial_period_days": ' + "9" * 4_000 + "}", "trial_period_days"),
    ('{"name": "P", "prices": {}}', "prices"),
    ('{"name": "P", "prices": [1]}', "prices[0]"),
    ('{"name": "P", "prices": [{}]}', "prices[0].metric_id", "prices[0].model"),
    ('{"name": "P", "prices": [' + ",".join(["{}"] * 101) + "]}", "prices"),
]

# (the price beside its metric_id, the fields at fault within it)
PRICE_FAULTS = [
    ('"model": "flat_unit"', "unit_price"),
    ('"model": "flat_unit", "unit_price": null', "unit_price"),
    ('"model": "flat_unit", "unit_price": ""', "unit_price"),
    ('"model": "flat_unit", "unit_price": "-1"', "unit_price"),
    ('"model": "flat_unit", "unit_price": -0.01', "unit_price"),
    ('"model": "flat_unit", "unit_price": "NaN"', "unit_price"),
    ('"model": "flat_unit", "unit_price": "Infinity"', "unit_price"),
    ('"model": "flat_unit", "unit_price": "1e3"', "unit_price"),
    ('"model": "flat_unit", "unit_price": "1_000"', "unit_price"),
    ('"model": "flat_unit", "unit_price": " 1 "', "unit_price"),
    ('"model": "flat_unit", "unit_price": "1,5"', "unit_price"),
    ('"model": "flat_unit", "unit_price": "١"', "unit_price"),  # noqa: RUF001 - a digit that is not ASCII
    ('"model": "flat_unit", "unit_price": true', "unit_price"),
    ('"model": "flat_unit", "unit_price": {}', "unit_price"),
    ('"model": "flat_unit", "unit_price": 0.30000000000000004', "unit_price"),
    ('"model": "flat_unit", "unit_price": "0.0000000000001"', "unit_price"),
    ('"model": "flat_unit", "unit_price": 1e-13', "unit_price"),
    ('"model": "flat_unit", "unit_price": 1e18', "unit_price"),
    ('"model": "flat_unit", "unit_price": 1e999999999', "unit_price"),
    ('"model": "flat_unit", "unit_price": 1e-999999999', "unit_price"),
    (f'"model": "flat_unit", "unit_price": {"9" * 4_000}', "unit_price"),
    (f'"model": "flat_unit", "unit_price": "{HUGE}"', "unit_price"),
    (f'"model": "flat_unit", "unit_price": "{NUL}"', "unit_price"),
    ('"model": "auction", "unit_price": "1"', "model"),
    ('"model": "", "unit_price": "1"', "model"),
    (f'"model": "{NUL}", "unit_price": "1"', "model"),
    ('"model": "tiered"', "tiers"),
    ('"model": "tiered", "tiers": []', "tiers"),
    ('"model": "tiered", "tiers": null', "tiers"),
    ('"model": "tiered", "tiers": {}', "tiers"),
    ('"model": "tiered", "tiers": "x"', "tiers"),
    ('"model": "tiered", "tiers": [1]', "tiers[0]"),
    ('"model": "tiered", "tiers": [{}]', "tiers[0].unit_amount"),
    (
        '"model": "tiered", "tiers": [{"up_to": 10, "unit_amount": "1"}]',
        "tiers[0].up_to",
    ),
    (
        (
            '"model": "graduated", "tiers": [{"up_to": 10, "unit_amount": "2"},'
            ' {"up_to": 5, "unit_amount": "2"}, {"up_to": null, "unit_amount": "1"}]'
        ),
        "tiers[1].up_to",
    ),
    (
        (
            '"model": "volume", "tiers": [{"up_to": 10, "unit_amount": "2"},'
            ' {"up_to": 10, "unit_amount": "2"}, {"up_to": null, "unit_amount": "1"}]'
        ),
        "tiers[1].up_to",
    ),
    (
        (
            '"model": "weighted_tiered", "tiers": [{"up_to": null, "unit_amount": "2"},'
            ' {"up_to": null, "unit_amount": "1"}]'
        ),
        "tiers[0].up_to",
    ),
    (
        (
            '"model": "tiered", "tiers": [{"up_to": 10, "unit_amount": "-2"},'
            ' {"up_to": null, "unit_amount": "NaN"}]'
        ),
        "tiers[0].unit_amount",
        "tiers[1].unit_amount",
    ),
    (
        (
            '"model": "tiered", "tiers": [{"up_to": 0, "unit_amount": "2"},'
            ' {"up_to": null, "unit_amount": "1"}]'
        ),
        "tiers[0].up_to",
    ),
    (
        (
            '"model": "tiered", "tiers": [{"up_to": -5, "unit_amount": "2"},'
            ' {"up_to": null, "unit_amount": "1"}]'
        ),
        "tiers[0].up_to",
    ),
    ('"model": "package", "unit_price": "5"', "tiers.package_size"),
    (
        '"model": "package", "tiers": {"package_size": 0, "package_price": "1"}',
        "tiers.package_size",
    ),
    (
        '"model": "package", "tiers": {"package_size": 10, "package_price": "-1"}',
        "tiers.package_price",
    ),
    (
        (
            '"model": "package", "tiers": {"package_size": 10, "package_price": "1",'
            ' "round_up_partial_block": "no"}'
        ),
        "tiers.round_up_partial_block",
    ),
    ('"model": "overage"', "tiers.overage_price"),
    (
        (
            '"model": "overage", "tiers": {"included_units": -1, "base_price": -1,'
            ' "overage_price": "-1"}'
        ),
        "tiers.included_units",
        "tiers.base_price",
        "tiers.overage_price",
    ),
]

SUBSCRIPTION_FAULTS = [
    (400, "{}", "customer_id", "plan_id"),
    (400, '{"customer_id": 1, "plan_id": "$plan"}', "customer_id"),
    (400, f'{{"customer_id": "{NUL}", "plan_id": "$plan"}}', "customer_id"),
    (400, f'{{"customer_id": "{SURROGATE}", "plan_id": "$plan"}}', "customer_id"),
    (404, '{"customer_id": "$unknown", "plan_id": "$plan"}', "customer_id"),
    (404, '{"customer_id": "", "plan_id": "$plan"}', "customer_id"),
    (404, '{"customer_id": "free", "plan_id": "$unknown"}', "plan_id"),
    (404, '{"customer_id": "free", "plan_id": "no-uuid"}', "plan_id"),
    (404, '{"customer_id": "free", "plan_id": ""}', "plan_id"),
    (
        400,
        '{"customer_id": "free", "plan_id": "$plan", "billing_anchor": "moon"}',
        "billing_anchor",
    ),
    (
        400,
        '{"customer_id": "free", "plan_id": "$daily", "billing_anchor": "month_start"}',
        "billing_anchor",
    ),
    (400, '{"customer_id": "free", "plan_id": "$plan", "start_date": "soon"}', "start_date"),
    (400, '{"customer_id": "free", "plan_id": "$plan", "start_date": "2026-02-30"}', "start_date"),
    (400, '{"customer_id": "free", "plan_id": "$plan", "start_date": 17}', "start_date"),
    (
        400,
        '{"customer_id": "free", "plan_id": "$plan", "start_date": "2020-01-01T00:00:00Z"}',
        "start_date",
    ),
    (
        400,
        '{"customer_id": "free", "plan_id": "$plan", "start_date": "9999-12-31T23:59:59Z"}',
        "start_date",
    ),
    (
        400,
        '{"customer_id": "free", "plan_id": "$plan", "start_date": "9999-12-31T23:59:59-14:00"}',
        "start_date",
    ),
    (
        400,
        '{"customer_id": "free", "plan_id": "$plan", "end_date": "2020-01-01T00:00:00Z"}',
        "end_date",
    ),
    (400, '{"customer_id": "free", "plan_id": "$plan", "end_date": "never"}', "end_date"),
]

ORGANIZATION_FAULTS = [
    ('{"name": ""}', "name"),
    ('{"name": "  "}', "name"),
    ('{"name": 5}', "name"),
    (f'{{"name": "{NUL}"}}', "name"),
    (f'{{"name": "{SURROGATE}"}}', "name"),
    ('{"country": "Narnia"}', "country"),
    ('{"timezone": "Mars/Olympus"}', "timezone"),
    ('{"timezone": ""}', "timezone"),
    ('{"timezone": "../../etc/passwd"}', "timezone"),
    ('{"timezone": "Africa"}', "timezone"),
    (f'{{"timezone": "{NUL}"}}', "timezone"),
    ('{"default_currency": "XQZ"}', "default_currency"),
    ('{"default_currency": ""}', "default_currency"),
    ('{"available_currencies": ["NGN", "XQZ"]}', "available_currencies[1]"),
    ('{"available_currencies": "NGN"}', "available_currencies"),
    ('{"vat_enabled": "perhaps"}', "vat_enabled"),
    ('{"vat_rate": 100.0001}', "vat_rate"),
    ('{"vat_rate": 101}', "vat_rate"),
    ('{"vat_rate": -1}', "vat_rate"),
    ('{"vat_rate": "NaN"}', "vat_rate"),
    ('{"vat_rate": 7.50001}', "vat_rate"),
    ('{"vat_rate": 1e99}', "vat_rate"),
    ('{"wht_rate": 100.5}', "wht_rate"),
    ('{"repeated_trials_enabled": "perhaps"}', "repeated_trials_enabled"),
    ('{"event_ingestion_grace_period_hours": -1}', "event_ingestion_grace_period_hours"),
    ('{"event_ingestion_grace_period_hours": 721}', "event_ingestion_grace_period_hours"),
    ('{"event_ingestion_grace_period_hours": 1e9999999}', "event_ingestion_grace_period_hours"),
    ('{"vat_rate": 101, "wht_rate": -5, "timezone": "x"}', "vat_rate", "wht_rate", "timezone"),
]


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/customers"), ("PUT", "/v1/customers/c1")]
)
def test_a_bad_customer_is_refused(world, method, path):
    assert_all_refused(
        world, [(method, path, body, 400, *fields) for body, *fields in CUSTOMER_FAULTS]
    )


def test_a_bad_metric_is_refused(world):
    assert_all_refused(
        world, [("POST", "/v1/metrics", body, 400, *fields) for body, *fields in METRIC_FAULTS]
    )


def test_a_bad_plan_is_refused(world):
    assert_all_refused(
        world, [("POST", "/v1/plans", body, 400, *fields) for body, *fields in PLAN_FAULTS]
    )


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/plans"), ("PUT", "/v1/plans/$plan")])
def test_a_bad_price_is_refused(world, method, path):
    bodies = [
        (f'{{"name": "P", "prices": [{{"metric_id": "$metric", {price}}}]}}', fields)
        for price, *fields in PRICE_FAULTS
    ]

    assert_all_refused(
        world,
        [
            (method, path, body, 400, *(f"prices[0].{field}" for field in fields))
            for body, fields in bodies
        ],
    )


@pytest.mark.parametrize(
    ("status", "prices", "field"),
    [
        (400, '{"metric_id": "x", "model": "flat", "unit_price": 1}', "prices[0].metric_id"),
        (404, '{"metric_id": "$unknown", "model": "flat", "unit_price": 1}', "prices[0].metric_id"),
        (
            400,
            '{"id": "x", "metric_id": "$metric", "model": "flat", "unit_price": 1}',
            "prices[0].id",
        ),
        (
            400,
            '{"id": "$unknown", "metric_id": "$metric", "model": "flat", "unit_price": 1}',
            "prices[0].id",
        ),
        (
            400,
            (
                '{"id": "$price", "metric_id": "$metric", "model": "flat", "unit_price": 1},'
                '{"id": "$price", "metric_id": "$metric", "model": "flat", "unit_price": 1}'
            ),
            "prices[1].id",
        ),
    ],
)
def test_a_price_of_something_unknown_is_refused(world, status, prices, field):
    response = send(world, "PUT", "/v1/plans/$plan", f'{{"prices": [{prices}]}}')

    assert_refused(world, response, status, field)


def test_a_bad_subscription_is_refused(world):
    assert_all_refused(
        world,
        [
            ("POST", "/v1/subscriptions", body, status, *fields)
            for status, body, *fields in SUBSCRIPTION_FAULTS
        ],
    )


@pytest.mark.parametrize(
    "body",
    ["{}", '{"status": ""}', '{"status": "gone"}', '{"status": 1}', '{"status": "suspended"}'],
)
def test_a_bad_status_is_refused(world, body):
    response = send(world, "PATCH", "/v1/subscriptions/$subscription", body)

    assert_refused(world, response, 400, "status")


def test_bad_settings_are_refused(world):
    assert_all_refused(
        world,
        [
            ("PATCH", "/v1/organization", body, 400, *fields)
            for body, *fields in ORGANIZATION_FAULTS
        ],
    )


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, "{}"),
        (400, '{"subscription_id": 5}'),
        (404, '{"subscription_id": "no-uuid"}'),
        (404, '{"subscription_id": "$unknown"}'),
        (404, '{"subscription_id": ""}'),
    ],
)
def test_an_invoice_of_nothing_is_refused(world, status, body):
    response = send(world, "POST", "/v1/invoices/generate", body)

    assert_refused(world, response, status, "subscription_id")


RESOURCES = [
    ("GET", "metrics", "metric_id"),
    ("PUT", "metrics", "metric_id"),
    ("DELETE", "metrics", "metric_id"),
    ("GET", "plans", "plan_id"),
    ("PUT", "plans", "plan_id"),
    ("DELETE", "plans", "plan_id"),
    ("GET", "subscriptions", "subscription_id"),
    ("DELETE", "subscriptions", "subscription_id"),
    ("GET", "invoices", "invoice_id"),
    ("DELETE", "invoices", "invoice_id"),
]
MALFORMED = [
    "no-uuid",
    "%00",
    "%F0%9F%A6%84",
    "%2e%2e",
    UNKNOWN.replace("-", ""),
    f"%7B{UNKNOWN}%7D",
]


@pytest.mark.parametrize(("method", "collection", "field"), RESOURCES)
def test_an_id_that_is_malformed_or_unknown_is_not_found(world, method, collection, field):
    assert_all_refused(
        world,
        [(method, f"/v1/{collection}/{one}", "{}", 404) for one in (*MALFORMED, "$unknown")],
        error=f"{field.removesuffix('_id')} not found",
    )


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_customer_is_not_found(world, method):
    references = [UNKNOWN, "nobody", "%ED%A0%80", "%F0%9F%A6%84", "a%2Fb"]
    # What no customer can be called.
    impossible = ["%00", LONG]

    assert_all_refused(
        world,
        [(method, f"/v1/customers/{one}", "{}", 404) for one in (*references, *impossible)],
    )


@pytest.mark.parametrize("action", ["finalize", "void"])
@pytest.mark.parametrize("invoice_id", [UNKNOWN, "no-uuid", "%00"])
def test_an_unknown_invoice_is_not_finalized_or_voided(world, action, invoice_id):
    response = send(world, "POST", f"/v1/invoices/{invoice_id}/{action}")

    assert_refused(world, response, 404)


QUERY_FAULTS = [
    ("/v1/customers?limit=0", "limit"),
    ("/v1/customers?limit=-1", "limit"),
    ("/v1/customers?limit=10001", "limit"),
    ("/v1/customers?limit=ten", "limit"),
    ("/v1/customers?limit=1.5", "limit"),
    (f"/v1/customers?limit={HUGE}", "limit"),
    ("/v1/metrics?offset=-1", "offset"),
    ("/v1/plans?offset=10000001", "offset"),
    ("/v1/invoices?status=lost", "status"),
    ("/v1/subscriptions?status=lost", "status"),
    ("/v1/invoices?customer_id=%00", "customer_id"),
    ("/v1/subscriptions?customer_id=%00", "customer_id"),
    ("/v1/subscriptions?plan_id=%00", "plan_id"),
    ("/v1/usage?customer_id=%00", "customer_id"),
    ("/v1/usage?metric_id=%00", "metric_id"),
    ("/v1/usage?from=yesterday", "from"),
    ("/v1/usage?to=2026-13-01T00:00:00Z", "to"),
    ("/v1/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z", "to"),
]


def test_a_bad_query_is_refused(world):
    assert_all_refused(world, [("GET", path, None, 400, field) for path, field in QUERY_FAULTS])


@pytest.mark.parametrize(
    "path",
    [
        "/v1/invoices?status=",
        "/v1/subscriptions?status=&customer_id=&plan_id=",
        "/v1/usage?customer_id=&metric_id=&from=&to=",
        "/v1/customers?colour=green",
        "/v1/customers?limit=10000&offset=10000000",
        "/v1/invoices?customer_id=nobody",
        "/v1/subscriptions?plan_id=no-uuid",
        "/v1/usage?metric_id=no-uuid",
        "/v1/usage?from=0001-01-01T00:00:00Z",
        "/v1/usage?from=0002-01-01T00:00:00Z",
        "/v1/usage?to=9999-12-31T23:59:59Z",
        "/v1/usage?from=9999-12-31T23:59:59.999999Z",
        "/v1/usage?to=0002-01-01T00:00:00Z",
        "/v1/usage?from=1999-01-01T00:00:00Z&to=9999-01-01T00:00:00Z",
    ],
)
def test_an_unset_or_unknown_query_is_answered(world, path):
    assert world.api.get(path).status_code == 200


WRITES = [
    ("POST", "/v1/customers"),
    ("PUT", "/v1/customers/c1"),
    ("POST", "/v1/metrics"),
    ("PUT", "/v1/metrics/$metric"),
    ("POST", "/v1/plans"),
    ("PUT", "/v1/plans/$plan"),
    ("POST", "/v1/subscriptions"),
    ("PATCH", "/v1/subscriptions/$subscription"),
    ("POST", "/v1/invoices/generate"),
    ("PATCH", "/v1/organization"),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_what_is_no_json_object_is_refused(world, method, path):
    no_json = [
        b"",
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"name": -Infinity}',
        b'{"name": "\xff\xfe"}',
        b'{"name": "a\nb"}',
        DEEP.encode(),
        b'{"metadata": ' + b'{"a":' * 50_000,
    ]
    no_object = ["[]", "null", '"text"', "5", "true"]

    assert_all_refused(
        world, [(method, path, body, 400, "body") for body in (*no_json, *no_object)]
    )


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32"])
def test_json_in_another_encoding_is_refused(world, encoding):
    response = send(world, "PATCH", "/v1/organization", "{}".encode(encoding))

    assert_refused(world, response, 400, "body")


def test_a_body_that_is_too_large_is_refused(world):
    body = b" " * (6 * 1024 * 1024)

    assert_all_refused(world, [(method, path, body, 413) for method, path in WRITES])


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "x"])
def test_another_content_type_is_refused(world, content_type):
    response = world.api.post(
        "/v1/customers", content=b'{"name": "A"}', headers={"Content-Type": content_type}
    )

    assert_refused(world, response, 400, "body")
