"""Storing events: each key counts once, whichever way it is stored, and texts stay as sent."""

from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from monigo.metering import Event, fold_all
from monigo.metering.ingest import ingestion
from monigo.metering.ingest.rules import dedup_hashes
from support.api import event


@pytest.fixture
def counting(api):
    """An organisation that counts the events of `c1`."""
    api.customer()
    api.metric()
    return api


def count_of_events(api):
    return sum(rollup["event_count"] for rollup in api.get("/v1/usage").json()["rollups"])


def hashes(*keys, is_test=True):
    return dedup_hashes([Event("api_call", "c1", key) for key in keys], is_test=is_test)


def test_repeats_are_told_while_they_are_expected_and_while_they_are_not(counting, monkeypatch):
    monkeypatch.setattr(ingestion, "REPEATS_EXPECTED_FLUSHES", 2)
    batches = ("ab", "bc", "d", "e", "fa", "ag", "ab", "h", "i", "j", "jk")

    answers = [counting.ingest(*[event(key) for key in batch]) for batch in batches]

    assert ["".join(answer["ingested"]) for answer in answers] == [
        *("ab", "c", "d", "e", "f", "g", "", "h", "i", "j", "k")
    ]
    assert ["".join(answer["duplicates"]) for answer in answers] == [
        *("", "b", "", "", "a", "a", "ab", "", "", "", "j")
    ]
    assert count_of_events(counting) == 11


def test_a_batch_that_fails_for_a_repeat_leaves_nothing_behind(counting, backend):
    counting.ingest(event("a"))

    counting.ingest(event("b"), event("a"), event("c"))

    batches = backend.sql(
        "SELECT event_count FROM unfolded_batches WHERE org_id = $1 ORDER BY batch_id",
        counting.org_id,
    )
    assert [row["event_count"] for row in batches] == [1, 2]
    assert count_of_events(counting) == 3


def test_batches_that_overlap_at_the_same_moment_count_each_key_once(counting, backend):
    keys = [f"key-{number:06d}" for number in range(1_200)]
    batches = [keys[start : start + 400] for start in range(0, 801, 50)]
    batches += [batch[::-1] for batch in batches]

    with ThreadPoolExecutor(8) as threads:
        answers = [*threads.map(lambda batch: counting.ingest(*map(event, batch)), batches)]

    ingested = [key for answer in answers for key in answer["ingested"]]
    assert sorted(ingested) == keys
    assert count_of_events(counting) == len(keys)
    backend.run(fold_all(backend.services.database))
    assert count_of_events(counting) == len(keys)


def test_texts_are_stored_as_they_were_sent(counting):
    texts = [
        "\x1f",
        "a\x1fb\x1f",
        "\n",
        "\t,;|",
        "'\"\\",
        "{}",
        "NULL",
        "\\N",
        " ",
        "🦄\u0301",
        "\x7f",
    ]
    events = [event(text, name=text, properties={text: text}) for text in texts]

    counting.ingest(*events)

    listed = {item["idempotency_key"]: item for item in counting.get("/v1/events").json()["events"]}
    assert {key: item["event_name"] for key, item in listed.items()} == dict(
        zip(texts, texts, strict=True)
    )
    assert {key: item["properties"] for key, item in listed.items()} == {
        text: {text: text} for text in texts
    }


def test_a_separator_among_the_texts_keeps_each_event_whole(counting):
    counting.ingest(
        event("x\x1fy", timestamp="0001-01-01T00:00:00Z", properties=None),
        event("z", name="a\x1f\x1fb"),
    )

    listed = counting.get("/v1/events").json()["events"]

    assert sorted((item["idempotency_key"], item["event_name"]) for item in listed) == [
        ("x\x1fy", "api_call"),
        ("z", "a\x1f\x1fb"),
    ]


def test_raw_control_characters_in_properties_refuse_the_batch(counting):
    good = '{"event_name": "api_call", "customer_id": "c1", "idempotency_key": "good"}'
    bad = (
        '{"event_name": "api_call", "customer_id": "c1", "idempotency_key": "bad",'
        ' "properties": {"a": "\x1f{"}}'
    )

    response = counting.post("/v1/ingest", content=f'{{"events": [{good}, {bad}]}}')

    assert response.status_code == 400
    assert count_of_events(counting) == 0


@pytest.mark.parametrize(
    ("key", "status"), [("ä" * 255, 202), ("🦄" * 255, 202), ("ä" * 256, 400), ("x" * 256, 400)]
)
def test_a_key_has_up_to_255_characters_whatever_their_bytes(counting, key, status):
    response = counting.post("/v1/ingest", json={"events": [event(key)]})

    assert response.status_code == status


@pytest.mark.parametrize("key", ["", "ä" * 256, "x" * 256])
def test_the_table_itself_refuses_a_key_of_another_length(counting, backend, key):
    counting.ingest(event("a"))

    with pytest.raises(asyncpg.CheckViolationError, match="usage_events_key_length"):
        backend.sql(
            "UPDATE usage_events SET idempotency_key = $2 WHERE org_id = $1", counting.org_id, key
        )


def test_keys_that_are_counted_up_lie_side_by_side():
    first, last, other = hashes("order-120000", "order-129999", "order-130000")

    assert first[:4] == last[:4] != other[:4]
    assert first[4:] != last[4:]


def test_a_key_stands_for_another_event_in_the_other_mode():
    assert hashes("a", is_test=True) != hashes("a", is_test=False)
    assert hashes("a", "b", "") == [*hashes("a"), *hashes("b"), *hashes("")]
