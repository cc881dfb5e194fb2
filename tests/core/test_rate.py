"""Buckets of requests: a second's worth at once, then the rate, for ever."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.rate import PER_SECOND_MAX, SECOND, take

rates = st.integers(1, PER_SECOND_MAX)


def admitted(per_second, instants):
    """How many requests at these instants get through one bucket."""
    full_at, count = 0, 0
    for now in sorted(instants):
        taken = take(full_at, per_second=per_second, now=now)
        full_at, count = taken.full_at, count + taken.is_admitted
    return count


@pytest.mark.parametrize("per_second", [1, 2, 3, 7, 1_000])
def test_a_fresh_bucket_gives_a_seconds_worth_at_once(per_second):
    assert admitted(per_second, [5 * SECOND] * (2 * per_second)) == per_second


def test_what_remains_counts_down_to_a_refusal():
    full_at, told = 0, []
    for _ in range(4):
        taken = take(full_at, per_second=3, now=0)
        full_at = taken.full_at
        told.append((taken.is_admitted, taken.remaining))

    assert told == [(True, 2), (True, 1), (True, 0), (False, 0)]


@pytest.mark.parametrize(
    ("owed", "per_second", "told"),
    [
        (0, 1, (True, SECOND, 0, 1)),
        (0, 4, (True, SECOND // 4, 3, 1)),
        (SECOND // 2, 4, (True, SECOND * 3 // 4, 1, 1)),
        (SECOND * 3 // 4, 4, (True, SECOND, 0, 1)),
        (SECOND * 3 // 4 + 1, 4, (False, SECOND * 3 // 4 + 1, 0, 1)),
        (SECOND, 1, (False, SECOND, 0, 1)),
        (SECOND + 1, 1, (False, SECOND + 1, 0, 2)),
        (3 * SECOND, 1, (False, 3 * SECOND, 0, 3)),
        (-5 * SECOND, 2, (True, SECOND // 2, 1, 1)),
    ],
)
def test_a_bucket_tells_what_came_of_it(owed, per_second, told):
    now = 100 * SECOND
    is_admitted, owed_after, remaining, wait_seconds = told

    assert take(now + owed, per_second=per_second, now=now) == (
        is_admitted,
        now + owed_after,
        per_second,
        remaining,
        wait_seconds,
    )


@pytest.mark.parametrize(
    ("owed", "told"),
    [
        (0, (True, 333_333_333, 2, 1)),
        (1, (True, 333_333_334, 2, 1)),
        (2, (True, 333_333_335, 1, 1)),
        (666_666_667, (True, SECOND, 0, 1)),
        (666_666_668, (False, 666_666_668, 0, 1)),
        (SECOND + 666_666_668, (False, SECOND + 666_666_668, 0, 2)),
    ],
)
def test_a_third_of_a_second_is_told_in_whole_nanoseconds_requests_and_seconds(owed, told):
    is_admitted, owed_after, remaining, wait_seconds = told

    taken = take(owed, per_second=3, now=0)

    assert repr(tuple(taken)) == repr((is_admitted, owed_after, 3, remaining, wait_seconds))


@given(rates, st.lists(st.integers(0, 20 * SECOND), max_size=200))
def test_no_second_admits_more_than_twice_the_rate(per_second, instants):
    in_a_second = [now % SECOND for now in instants]

    assert admitted(per_second, in_a_second) <= 2 * per_second


@given(rates, st.integers(1, 50))
def test_steady_requests_at_the_rate_are_never_refused(per_second, seconds):
    share = -(-SECOND // per_second)
    instants = range(0, share * seconds, share)

    assert admitted(per_second, instants) == len(instants)


@given(rates, st.integers(0, 10**18), st.integers(0, SECOND))
def test_whoever_waits_as_told_is_admitted(per_second, now, owed):
    taken = take(now + owed, per_second=per_second, now=now)

    later = take(taken.full_at, per_second=per_second, now=now + taken.wait_seconds * SECOND)

    assert later.is_admitted
    assert taken.is_admitted or taken.wait_seconds >= 1
