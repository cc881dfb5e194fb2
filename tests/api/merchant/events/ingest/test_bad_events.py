"""Ingest is all or nothing: one bad event refuses its batch and names the field."""

import json
from datetime import datetime, timedelta

import pytest

from support.api import event

NUL, SURROGATE = r"\u0000", r"\ud800"
DEEP = "[" * 30_000 + "]" * 30_000
GOOD = '{"event_name": "api_call", "customer_id": "c1", "idempotency_key": "good"}'


@pytest.fixture
def counting(api):
    """An organisation that counts the events of `c1`."""
    api.customer()
    api.metric()
    return api


def count_of_events(api):
    return sum(rollup["event_count"] for rollup in api.get("/v1/usage").json()["rollups"])


def send(api, *events):
    """Send events as they are written."""
    return api.post("/v1/ingest", content='{"events": [' + ", ".join(events) + "]}")


def bad(**fields):
    """An event with fields of one's own, written as JSON."""
    written = {"event_name": '"api_call"', "customer_id": '"c1"', "idempotency_key": '"bad"'}
    written.update(fields)
    members = [f'"{name}": {value}' for name, value in written.items() if value is not None]
    return "{" + ", ".join(members) + "}"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("event_name", None),
        ("event_name", "null"),
        ("event_name", "5"),
        ("event_name", '""'),
        ("event_name", '"' + "x" * 256 + '"'),
        ("event_name", f'"a{NUL}"'),
        ("customer_id", None),
        ("customer_id", "null"),
        ("customer_id", "5"),
        ("customer_id", '""'),
        ("customer_id", '"nobody"'),
        ("customer_id", '"0f6b2a4e-8c1d-4e5f-9a7b-3c2d1e0f9a8b"'),
        ("customer_id", f'"{NUL}"'),
        ("customer_id", '"' + "x" * 256 + '"'),
        ("idempotency_key", None),
        ("idempotency_key", "null"),
        ("idempotency_key", "5"),
        ("idempotency_key", '""'),
        ("idempotency_key", '"' + "x" * 256 + '"'),
        ("idempotency_key", f'"{NUL}"'),
        ("timestamp", "1767225600"),
        ("timestamp", "{}"),
        ("timestamp", '"yesterday"'),
        ("timestamp", '"2026-01-01"'),
        ("timestamp", '"2026-01-01T00:00:00"'),
        ("timestamp", '"2026-02-30T00:00:00Z"'),
        ("timestamp", '"2026-01-01T25:00:00Z"'),
        ("timestamp", '"2026-01-01T00:00Z"'),
        ("timestamp", '"99999-01-01T00:00:00Z"'),
        ("timestamp", '"2020-01-01T00:00:00Z"'),
        ("timestamp", '"0002-01-01T00:00:00Z"'),
        ("timestamp", '"9999-12-31T23:59:59Z"'),
        ("timestamp", '"9999-12-31T23:59:59.999999999-14:00"'),
        ("timestamp", f'"{NUL}"'),
        ("properties", "[]"),
        ("properties", '"x"'),
        ("properties", "5"),
        ("properties", "true"),
        ("properties", f'{{"a": "{NUL}"}}'),
        ("properties", f'{{"{NUL}": 1}}'),
        ("properties", '{"a": 1e999999999}'),
        ("properties", '{"a": 1e-999999999}'),
        ("properties", '{"a": 1e99999999999999999999}'),
        ("properties", '{"a": ' + "9" * 150_000 + "}"),
        ("properties", '{"a": "' + "x" * 70_000 + '"}'),
    ],
)
def test_a_bad_field_refuses_the_batch_and_is_named(counting, field, value):
    response = send(counting, GOOD, bad(**{field: value}))

    assert response.status_code == 400
    assert list(response.json()["details"]) == [f"events[1].{field}"]
    assert count_of_events(counting) == 0


@pytest.mark.parametrize("field", ["event_name", "customer_id", "idempotency_key", "properties"])
def test_half_a_surrogate_pair_refuses_the_batch(counting, field):
    text = f'"{SURROGATE}"' if field != "properties" else f'{{"a": "{SURROGATE}"}}'

    response = send(counting, GOOD, bad(**{field: text}))

    assert response.status_code == 400
    assert set(response.json()["details"]) <= {"body", f"events[1].{field}"}
    assert count_of_events(counting) == 0


@pytest.mark.parametrize(
    "text",
    [
        b'"event_name": "\xff", "customer_id": "c1", "idempotency_key": "k"',
        b'"event_name": "e", "customer_id": "\xed\xa0\x80", "idempotency_key": "k"',
        b'"event_name": "e", "customer_id": "c1", "idempotency_key": "\xc3("',
    ],
)
def test_text_that_is_no_utf_8_refuses_the_batch(counting, text):
    response = counting.post("/v1/ingest", content=b'{"events": [{' + text + b"}]}")

    assert response.status_code == 400
    assert response.json()["details"] != {}


@pytest.mark.parametrize("properties", [b'{"a": "\xff"}', b'{"\xed\xa0\x80": 1}'])
def test_properties_that_are_no_utf_8_refuse_the_batch(counting, properties):
    response = counting.post(
        "/v1/ingest",
        content=b'{"events": [{"event_name": "e", "customer_id": "c1", "idempotency_key": "k",'
        b' "properties": ' + properties + b"}]}",
    )

    assert response.status_code == 400
    assert list(response.json()["details"]) == ["events[0].properties"]


def test_every_bad_event_is_named(counting):
    response = send(
        counting, bad(timestamp='"x"'), GOOD, bad(customer_id='"nobody"', timestamp='"y"')
    )

    assert response.status_code == 400
    assert {"events[0].timestamp", "events[2].timestamp"} <= set(response.json()["details"])


def test_events_of_a_wrong_type_are_all_named(counting):
    response = send(counting, "5", GOOD, bad(event_name="7"), "null")

    assert response.status_code == 400
    assert set(response.json()["details"]) == {"events[0]", "events[2].event_name", "events[3]"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "body"),
        ("{", "body"),
        ("nonsense", "body"),
        ('{"events": [' + GOOD + "]} trailing", "body"),
        ('{"events": [' + GOOD + ",]}", "body"),
        ("[]", "events"),
        ("null", "events"),
        ("{}", "events"),
        ('{"events": null}', "events"),
        ('{"events": {}}', "events"),
        ('{"events": []}', "events"),
        ('{"events": [' + bad(properties=f'{{"a": {DEEP}}}') + "]}", "body"),
        ('{"x": ' + "[" * 100_000, "body"),
        ('{"events": [{"properties": {"a": ' + "[" * 100_000, "body"),
    ],
)
def test_what_is_no_batch_is_refused(counting, body, field):
    response = counting.post("/v1/ingest", content=body)

    assert response.status_code == 400
    assert list(response.json()["details"]) == [field]


def test_a_batch_nested_too_deep_is_refused(counting):
    response = counting.post("/v1/ingest", content='{"events": ' + "[" * 100_000)

    assert response.status_code == 400
    assert list(response.json()["details"]) == ["body"]


@pytest.mark.parametrize(("count", "status"), [(1_000, 202), (1_001, 400)])
def test_a_batch_holds_up_to_a_thousand_events(counting, count, status):
    events = [event(str(number)) for number in range(count)]

    response = counting.post("/v1/ingest", json={"events": events})

    assert response.status_code == status
    assert count_of_events(counting) == {202: count, 400: 0}[status]


@pytest.mark.parametrize(("size", "status"), [(5, 202), (6, 413)])
def test_a_batch_has_up_to_five_mebibytes(counting, size, status):
    body = json.dumps({"events": [event("1")]}).encode()
    padding = b" " * (size * 1024 * 1024 - len(body))

    response = counting.post("/v1/ingest", content=body + padding)

    assert response.status_code == status
    assert count_of_events(counting) == {202: 1, 413: 0}[status]


@pytest.mark.parametrize(
    ("offset", "status"),
    [
        (timedelta(days=-90), 202),
        (timedelta(days=-90, microseconds=-1), 400),
        (timedelta(days=-91), 400),
        (timedelta(hours=1), 202),
        (timedelta(hours=1, microseconds=1), 400),
    ],
)
def test_a_time_lies_within_ninety_days_back_and_an_hour_ahead(counting, offset, status):
    at = (counting.backend.clock.stand_still() + offset).isoformat()

    response = counting.post("/v1/ingest", json={"events": [event("1", timestamp=at)]})

    assert response.status_code == status
    assert (
        list(response.json().get("details", {})) == {202: [], 400: ["events[0].timestamp"]}[status]
    )


@pytest.mark.parametrize(
    "timestamp",
    [
        None,
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00.000000000Z",
        "0001-01-01T00:00:00+00:00",
    ],
)
def test_an_unset_time_means_now(counting, timestamp):
    now = counting.backend.clock.stand_still()
    counting.ingest(event("1", timestamp=timestamp))

    rollup = counting.get("/v1/usage").json()["rollups"][0]

    assert datetime.fromisoformat(rollup["last_event_at"]) == now


@pytest.mark.parametrize(
    ("fraction", "kept"),
    [
        (".123456789Z", ".123456Z"),
        (".999999999Z", ".999999Z"),
        (".9999999Z", ".999999Z"),
        (".5Z", ".500000Z"),
        (".1234567890123456789Z", ".123456Z"),
        (".123456999+00:00", ".123456Z"),
        (".123456999-00:00", ".123456Z"),
        ("Z", "Z"),
        ("z", "Z"),
    ],
)
def test_a_time_is_cut_to_microseconds_never_rounded(counting, fraction, kept):
    second = (counting.backend.clock.now() - timedelta(minutes=1)).strftime("%Y-%m-%dT%H:%M:%S")
    counting.ingest(event("1", timestamp=second + fraction))

    rollup = counting.get("/v1/usage", params={"from": "2000-01-01T00:00:00Z"}).json()["rollups"][0]

    assert rollup["last_event_at"] == second + kept


@pytest.mark.parametrize("offset", ["+01:00", "-14:00", "+14:00"])
def test_a_time_may_come_in_any_zone(counting, offset):
    moment = counting.backend.clock.now().replace(microsecond=0) - timedelta(minutes=1)
    local = moment.astimezone(datetime.fromisoformat(f"2026-01-01T00:00:00{offset}").tzinfo)
    counting.ingest(event("1", timestamp=local.isoformat()))

    rollup = counting.get("/v1/usage", params={"from": "2000-01-01T00:00:00Z"}).json()["rollups"][0]

    assert datetime.fromisoformat(rollup["last_event_at"]) == moment


@pytest.mark.parametrize(
    "properties",
    [
        "null",
        "{}",
        '{"n": 0.30000000000000004}',
        '{"n": 1e308}',
        '{"n": 1E-300}',
        '{"n": ' + "9" * 900 + "}",
        '{"n": -0}',
        '{"n": 1, "n": 2}',
        '{"n": "NaN", "m": "1_000", "o": " 12 "}',
        '{"a": ' + "[" * 90 + "]" * 90 + "}",
        r'{"a": "\ud83e\udd84 \\u0000 🦄"}',
        '{"": 1}',
    ],
)
def test_whatever_json_can_say_may_stand_in_properties(counting, properties):
    response = send(counting, bad(properties=properties))

    assert response.status_code == 202
    assert count_of_events(counting) == 1


def test_unknown_fields_of_an_event_are_ignored(counting):
    body = {"events": [event("1", colour="green", id=5)], "source": "sdk"}

    response = counting.post("/v1/ingest", json=body)

    assert (response.status_code, response.json()["ingested"]) == (202, ["1"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", ""])
def test_events_are_json_whatever_the_content_type_says(counting, content_type):
    body = json.dumps({"events": [event("1")]})

    response = counting.post("/v1/ingest", content=body, headers={"Content-Type": content_type})

    assert response.status_code == 202


def test_an_event_counts_once_however_often_it_comes(counting):
    first = counting.ingest(event("a"), event("b"), event("a"))
    second = counting.ingest(event("b"), event("c"))

    assert first == {"ingested": ["a", "b"], "duplicates": ["a"]}
    assert second == {"ingested": ["c"], "duplicates": ["b"]}
    assert count_of_events(counting) == 3


def test_the_first_event_of_a_key_wins(counting):
    counting.metric("tokens", aggregation="sum", aggregation_property="n")
    counting.ingest(event("a", name="tokens", properties={"n": 1}))

    repeated = counting.ingest(event("a", name="tokens", properties={"n": 1_000}))

    values = [rollup["value"] for rollup in counting.get("/v1/usage").json()["rollups"]]
    assert repeated == {"ingested": [], "duplicates": ["a"]}
    assert values == [1]


def test_keys_differ_by_case_and_by_blanks(counting):
    keys = ["a", "A", " a", "a ", "ä", "a\u0308"]

    response = counting.ingest(*[event(key) for key in keys])

    assert response == {"ingested": keys, "duplicates": []}
