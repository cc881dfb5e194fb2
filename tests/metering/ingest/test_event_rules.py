"""Which events are valid, when they happened, and what makes one a repeat; without a database."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError, ErrorKind
from monigo.metering import decode_batch
from monigo.metering.ingest.rules import (
    BATCH_MAX,
    FAULTS_MAX,
    PROPERTIES_BYTES_MAX,
    TEXT_LENGTH_MAX,
    dedup_hashes,
    event_times,
    quota_exceeded,
    unknown_customers,
    unstorable_properties,
)
from monigo.metering.rules import first_of_month

NOT_STORABLE = "holds a number or nesting that cannot be stored"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def written(**fields):
    """One event as JSON, good but for the fields that are given."""
    return {"event_name": "call", "customer_id": "c1", "idempotency_key": "k1", **fields}


def body(*events):
    return json.dumps({"events": events}).encode()


def events_at(*timestamps):
    return decode_batch(body(*[written(timestamp=text) for text in timestamps]))


def faults_of(attempt, *arguments):
    with pytest.raises(DomainError) as refused:
        attempt(*arguments)
    assert refused.value.kind is ErrorKind.INVALID
    return refused.value.fields


def test_a_batch_is_read_as_it_was_sent():
    (event,) = decode_batch(body(written(timestamp="2026-01-01T00:00:00Z", properties={"n": 1})))

    assert (event.event_name, event.customer_id, event.idempotency_key) == ("call", "c1", "k1")
    assert (event.timestamp, bytes(event.properties)) == ("2026-01-01T00:00:00Z", b'{"n": 1}')


@pytest.mark.parametrize("properties", [None, {}])
def test_properties_that_are_null_are_empty(properties):
    (event,) = decode_batch(body(written(properties=properties)))

    assert bytes(event.properties) == b"{}"


@pytest.mark.parametrize("count", [1, BATCH_MAX])
def test_a_batch_holds_one_to_a_thousand_events(count):
    assert len(decode_batch(body(*[written()] * count))) == count


@pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
def test_a_batch_of_another_size_is_refused(count):
    assert faults_of(decode_batch, body(*[written()] * count)) == {
        "events": "must hold 1 to 1000 events"
    }


@pytest.mark.parametrize("count", [0, BATCH_MAX + 1])
def test_its_size_is_told_before_its_faults(count):
    wrong = [written(event_name=5)] * count

    assert faults_of(decode_batch, body(*wrong)) == {"events": "must hold 1 to 1000 events"}


@pytest.mark.parametrize("field", ["event_name", "customer_id", "idempotency_key"])
@pytest.mark.parametrize("length", [1, TEXT_LENGTH_MAX])
def test_a_text_of_1_to_255_characters_is_taken(field, length):
    (event,) = decode_batch(body(written(**{field: "é" * length})))

    assert getattr(event, field) == "é" * length


@pytest.mark.parametrize("field", ["event_name", "customer_id", "idempotency_key"])
@pytest.mark.parametrize("length", [0, TEXT_LENGTH_MAX + 1])
def test_a_text_of_another_length_is_refused_where_it_stands(field, length):
    faults = faults_of(decode_batch, body(written(), written(**{field: "x" * length})))

    assert faults == {f"events[1].{field}": "must have 1 to 255 characters"}


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ({"event_name": 5}, {"events[0].event_name": "expected `str`, got `int`"}),
        ({"customer_id": None}, {"events[0].customer_id": "expected `str`, got `null`"}),
        ({"timestamp": 5}, {"events[0].timestamp": "expected `str | null`, got `int`"}),
        ({"event_name": "a\x00"}, {"events[0].event_name": "must not hold a NUL character"}),
        ({"properties": []}, {"events[0].properties": "must be an object"}),
        ({"properties": 5}, {"events[0].properties": "must be an object"}),
    ],
)
def test_a_faulty_field_is_named(fields, faults):
    assert faults_of(decode_batch, body(written(**fields))) == faults


def test_a_missing_field_is_named():
    event = written()
    del event["idempotency_key"]

    assert faults_of(decode_batch, body(event)) == {"events[0].idempotency_key": "is required"}


def test_an_event_that_is_no_object_is_named():
    assert faults_of(decode_batch, b'{"events": [5]}') == {
        "events[0]": "expected `object`, got `int`"
    }


def test_all_faults_of_all_events_are_told_at_once():
    faults = faults_of(
        decode_batch, body(written(event_name=""), written(), written(customer_id="", properties=1))
    )

    assert list(faults) == ["events[0].event_name", "events[2].customer_id", "events[2].properties"]


def test_no_more_than_a_hundred_faults_are_told():
    faults = faults_of(decode_batch, body(*[written(event_name="")] * (FAULTS_MAX + 1)))

    assert list(faults) == [f"events[{position}].event_name" for position in range(FAULTS_MAX)]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff", b'{"events": ['])
def test_what_is_no_json_is_told_so(text):
    (fault,) = faults_of(decode_batch, text).items()

    assert fault[0] == "body"
    assert fault[1].startswith("is not valid JSON")


@pytest.mark.parametrize("text", [b"[]", b"{}", b'{"events": 5}', b'{"events": null}'])
def test_what_holds_no_list_of_events_is_told_so(text):
    assert faults_of(decode_batch, text) == {"events": "must be a list of events"}


def with_properties(raw):
    plain = json.dumps(written())
    return b'{"events": [' + plain[:-1].encode() + b', "properties": ' + raw + b"}]}"


def test_properties_are_at_most_64_kib():
    frame = b'{"a": ""}'
    largest = b'{"a": "' + b"x" * (PROPERTIES_BYTES_MAX - len(frame)) + b'"}'

    assert len(decode_batch(with_properties(largest))) == 1
    assert faults_of(decode_batch, with_properties(largest[:-2] + b'x"}')) == {
        "events[0].properties": "must be at most 65536 bytes"
    }


def test_one_of_several_events_is_refused_for_its_size():
    large = {"a": "x" * PROPERTIES_BYTES_MAX}

    faults = faults_of(decode_batch, body(written(), written(properties=large), written()))

    assert list(faults) == ["events[1].properties"]


@pytest.mark.parametrize("field", ["event_name", "customer_id", "idempotency_key"])
def test_one_of_several_events_is_refused_for_a_text(field):
    long = written(**{field: "x" * (TEXT_LENGTH_MAX + 1)})

    assert list(faults_of(decode_batch, body(written(), long))) == [f"events[1].{field}"]


@pytest.mark.parametrize(
    ("raw", "fault"),
    [
        (b'{"a": "\xff"}', "is not valid UTF-8"),
        (b'{"a": "\\u0000"}', "must not hold a NUL character"),
        (b'{"a\\u0000": 1}', "must not hold a NUL character"),
        (b'{"a\\u0001": 1e1001}', "holds a number of more than 1000 digits"),
        (b'{"a\\u0001": 1e99999999999999999999}', NOT_STORABLE),
        (b'{"a\\u0001": ' + b"[" * 101 + b"]" * 101 + b"}", "is nested more than 100 deep"),
    ],
)
def test_properties_that_the_database_could_not_hold_are_refused(raw, fault):
    assert faults_of(decode_batch, with_properties(raw)) == {"events[0].properties": fault}


def test_an_escaped_separator_is_kept_as_it_was_sent():
    (event,) = decode_batch(with_properties(b'{"a": "\\u001f"}'))

    assert bytes(event.properties) == b'{"a": "\\u001f"}'


def test_what_the_database_refused_is_named():
    events = decode_batch(body(written(), written()))
    odd = decode_batch(with_properties(b'{"a": 1e400000}'))

    assert unstorable_properties(events) is None
    refused = unstorable_properties([*events, *odd])
    assert refused is not None
    assert refused.fields == {"events[2].properties": "holds a number of more than 1000 digits"}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-03-31T12:00:00Z", "2026-03-31T12:00:00Z"),
        ("2026-03-31T11:59:59.123456Z", "2026-03-31T11:59:59.123456Z"),
        ("2026-03-31T11:59:59.999999999Z", "2026-03-31T11:59:59.999999+00:00"),
        ("2026-03-31T13:00:00+01:00", "2026-03-31T12:00:00+00:00"),
        (None, "2026-03-31T12:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "2026-03-31T12:00:00+00:00"),
        ("0001-12-31T23:59:59Z", "2026-03-31T12:00:00+00:00"),
    ],
)
def test_an_event_happened_when_it_says_or_now(text, at):
    assert event_times(events_at(text), NOW) == [at]


@pytest.mark.parametrize("sent_as", ["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S+00:00"])
@pytest.mark.parametrize("distance", [-timedelta(days=90), timedelta(hours=1), timedelta()])
def test_an_event_may_be_90_days_old_and_an_hour_ahead(sent_as, distance):
    text = (NOW + distance).strftime(sent_as)

    (at,) = event_times(events_at(text), NOW)

    assert datetime.fromisoformat(at) == NOW + distance


@pytest.mark.parametrize("ending", ["Z", "+00:00"])
@pytest.mark.parametrize(
    ("distance", "fault"),
    [
        (-timedelta(days=90, seconds=1), "is older than 90 days"),
        (timedelta(hours=1, seconds=1), "is over an hour ahead"),
    ],
)
def test_an_event_of_another_time_is_refused(distance, fault, ending):
    text = (NOW + distance).strftime("%Y-%m-%dT%H:%M:%S") + ending

    assert faults_of(event_times, events_at("2026-03-31T12:00:00Z", text), NOW) == {
        "events[1].timestamp": fault
    }


@pytest.mark.parametrize("text", ["", "2026-03-31", "2026-02-30T00:00:00Z", "2026-03-31T12:00:00"])
def test_what_is_no_time_is_refused(text):
    assert list(faults_of(event_times, events_at(None, text), NOW)) == ["events[1].timestamp"]


@given(st.integers(0, 89 * 86_400 * 10**6))
def test_both_ways_to_read_a_time_agree(microseconds):
    at = NOW - timedelta(microseconds=microseconds)
    slow = at.isoformat()
    quick = slow.replace("+00:00", "Z")

    times = event_times(events_at(quick), NOW) + event_times(events_at(slow), NOW)

    assert {datetime.fromisoformat(text) for text in times} == {at}


def test_an_events_hash_is_of_its_key_and_mode():
    events = decode_batch(body(written(idempotency_key="order-17"), written()))

    assert [digest.hex() for digest in dedup_hashes(events, is_test=True)] == [
        "293dbf03b8776e42e30a2406ddcb2373",
        "00000000a81c56d23e5aa588b6e8c835",
    ]
    assert [digest.hex() for digest in dedup_hashes(events, is_test=False)] == [
        "293dbf03d71fa2ab86e5d718be94ce63",
        "0000000089497025598247945b929e6a",
    ]


def test_keys_that_are_counted_up_lie_side_by_side():
    keys = ["order-20260331-0001", "order-20260331-9999", "order-20260332-0001"]
    events = decode_batch(body(*[written(idempotency_key=key) for key in keys]))

    first, last, next_one = (digest[:4] for digest in dedup_hashes(events, is_test=True))

    assert first == last
    assert first != next_one


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        (datetime(2026, 1, 31, 23, 59, tzinfo=UTC), date(2026, 1, 1)),
        (datetime(2026, 2, 1, tzinfo=UTC), date(2026, 2, 1)),
    ],
)
def test_a_quota_counts_a_calendar_month(instant, month):
    assert first_of_month(instant) == month


def test_what_has_no_quota_left_has_its_own_code():
    refused = quota_exceeded()

    assert (refused.kind, refused.code) == (ErrorKind.INSUFFICIENT, "event_quota_exceeded")
    assert refused.message == "event quota exceeded for this month"


def test_unknown_customers_are_named_where_they_stand():
    assert unknown_customers([0, 7]).fields == {
        "events[0].customer_id": "is no customer's id or external_id",
        "events[7].customer_id": "is no customer's id or external_id",
    }
