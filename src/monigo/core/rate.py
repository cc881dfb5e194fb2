"""A rate of requests: a bucket that holds one second's worth and refills steadily.

A bucket is one number, the instant at which it will be full again, in nanoseconds of any clock
that never goes back. Taking from it moves that instant on by one request's share of a second.
"""

from typing import NamedTuple

SECOND = 1_000_000_000
# Above it a request's share of a second is too short to be exact in nanoseconds.
PER_SECOND_MAX = 1_000_000


class Taken(NamedTuple):
    """What came of asking a bucket for one request.

    `remaining` requests may follow at once. `wait_seconds` is how long until the bucket is full
    again, or for one that refused, until it gives; whole seconds, rounded up.
    """

    is_admitted: bool
    full_at: int
    per_second: int
    remaining: int
    wait_seconds: int


def take(full_at: int, *, per_second: int, now: int) -> Taken:
    """Take one request from a bucket that is full at `full_at`; 0 is a bucket never used."""
    share = SECOND // per_second
    after = max(full_at - now, 0) + share
    if after > SECOND:
        return Taken(False, full_at, per_second, 0, _seconds(after - SECOND))
    return Taken(True, now + after, per_second, (SECOND - after) // share, _seconds(after))


def _seconds(nanoseconds: int) -> int:
    return -(-nanoseconds // SECOND)
