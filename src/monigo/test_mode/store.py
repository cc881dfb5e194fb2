"""All SQL of test clocks and of clearing test data.

A clock's changes compare what they were decided on, so that no lock is held while deciding.
"""

from datetime import datetime, timedelta
from uuid import UUID

from monigo.infra.db import Transaction, reset_lock
from monigo.test_mode.types import SetClock

SELECT = """
    SELECT now_at AS now, target_at AS target, steps, failure, updated_at
    FROM test_clocks WHERE org_id = $1 AND now_at IS NOT NULL
"""

# Refused while the clock is on its way, or when it has moved since it was looked at.
START = """
    INSERT INTO test_clocks (org_id, now_at, target_at, steps, failure, resets, updated_at)
    VALUES ($1, $2, $3, 0, '', 0, $4)
    ON CONFLICT (org_id) DO UPDATE
    SET now_at = excluded.now_at, target_at = excluded.target_at, steps = 0, failure = '',
        runner_id = NULL, runner_until = NULL, updated_at = excluded.updated_at
    WHERE test_clocks.target_at IS NULL
        AND coalesce(test_clocks.now_at, excluded.now_at) = excluded.now_at
    RETURNING true
"""

# Claimed when no runner has the clock, or its runner has been silent for too long. A new runner
# restarts the count of steps.
TAKE = """
    UPDATE test_clocks
    SET steps = CASE WHEN runner_id = $2 THEN steps ELSE 0 END, runner_id = $2, runner_until = $3
    WHERE org_id = $1 AND target_at IS NOT NULL
        AND (runner_id IS NULL OR runner_id = $2 OR runner_until <= $4)
    RETURNING true
"""

RELEASE = """
    UPDATE test_clocks SET runner_id = NULL, runner_until = NULL
    WHERE org_id = $1 AND runner_id = $2
"""

MOVE = """
    UPDATE test_clocks
    SET now_at = $5, steps = CASE WHEN now_at = $5 THEN steps + 1 ELSE 1 END, updated_at = $6
    WHERE org_id = $1 AND now_at = $2 AND target_at = $3 AND steps = $4 AND runner_id = $7
    RETURNING true
"""

ARRIVE = """
    UPDATE test_clocks
    SET now_at = target_at, target_at = NULL, steps = 0, runner_id = NULL, runner_until = NULL,
        updated_at = $5
    WHERE org_id = $1 AND now_at = $2 AND target_at = $3 AND steps = $4 AND runner_id = $6
    RETURNING true
"""

FAIL = """
    UPDATE test_clocks
    SET target_at = NULL, failure = $4, runner_id = NULL, runner_until = NULL, updated_at = $5
    WHERE org_id = $1 AND now_at = $2 AND target_at = $3 AND runner_id = $6
"""

UNSET = """
    UPDATE test_clocks
    SET now_at = NULL, target_at = NULL, steps = 0, failure = '', runner_id = NULL,
        runner_until = NULL, updated_at = $2
    WHERE org_id = $1
"""

# Of all statements the one that may take long; still shorter than a request may.
SET_RESET_TIMEOUT = "SET LOCAL statement_timeout = '50s'"

RESET = "SELECT 1 FROM reset_test_data($1, $2)"

DELETE_WAITING_JOBS = """
    DELETE FROM pgqueuer
    WHERE status = 'queued' AND convert_from(payload, 'UTF8')::jsonb
        @> jsonb_build_object('org_id', $1::uuid, 'is_test', $2::boolean)
"""

# What is remembered of the old data is known by the number of resets.
COUNT_RESET = """
    INSERT INTO test_clocks (org_id, steps, failure, resets, updated_at)
    VALUES ($1, 0, '', 1, $2)
    ON CONFLICT (org_id) DO UPDATE SET resets = test_clocks.resets + 1
"""

COMPARE_WITH_AGENDA = """
    SELECT
        EXISTS (
            SELECT 1 FROM test_clocks WHERE org_id = $1 AND target_at IS NOT NULL
        ) AS moves,
        EXISTS (
            SELECT 1 FROM agenda
            WHERE org_id = $1 AND is_test = true AND kind = $2 AND subject = $1
        ) AS is_found
"""


async def load(tx: Transaction) -> SetClock | None:
    """The organisation's test clock; None where test time is real."""
    row = await tx.connection.fetchrow(SELECT, tx.org_id)
    return None if row is None else SetClock(**dict(row))


async def start(tx: Transaction, target: datetime) -> bool:
    """Send the clock, from the transaction's now, on its way; False when it is not there still."""
    return bool(await tx.connection.fetchval(START, tx.org_id, tx.now, target, tx.real_now))


async def take(tx: Transaction, runner_id: UUID, *, lasting: timedelta) -> bool:
    """Have an advancing clock for oneself, or for longer; False while another runner has it."""
    until = tx.real_now + lasting
    return bool(await tx.connection.fetchval(TAKE, tx.org_id, runner_id, until, tx.real_now))


async def release(tx: Transaction, runner_id: UUID) -> None:
    """Release a clock's claim, if this runner has it."""
    await tx.connection.execute(RELEASE, tx.org_id, runner_id)


async def move(tx: Transaction, clock: SetClock, runner_id: UUID, at: datetime) -> bool:
    """Set the runner's clock to `at`; False when it is no longer its own, or as it was seen."""
    seen = (clock.now, clock.target, clock.steps)
    moved = await tx.connection.fetchval(MOVE, tx.org_id, *seen, at, tx.real_now, runner_id)
    return bool(moved)


async def arrive(tx: Transaction, clock: SetClock, runner_id: UUID) -> bool:
    """Set the runner's clock to its target; False when it is no longer its own, or as seen."""
    seen = (clock.now, clock.target, clock.steps)
    arrived = await tx.connection.fetchval(ARRIVE, tx.org_id, *seen, tx.real_now, runner_id)
    return bool(arrived)


async def fail(
    tx: Transaction, runner_id: UUID, *, at: datetime, target: datetime, failure: str
) -> None:
    """Stop the runner's clock where it is, unless it has gone on or arrived meanwhile."""
    await tx.connection.execute(FAIL, tx.org_id, at, target, failure, tx.real_now, runner_id)


async def unset(tx: Transaction) -> None:
    """Return test time to real time."""
    await tx.connection.execute(UNSET, tx.org_id, tx.real_now)


async def lock_alone(tx: Transaction) -> bool:
    """Wait until no other transaction of the tenant is under way, and keep new ones waiting.

    False, without waiting, when another one is at it already: each would wait for the other.
    """
    lock = reset_lock(tx.org_id)
    if not await tx.connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock ^ 1):
        return False
    await tx.connection.execute("SELECT pg_advisory_xact_lock($1)", lock)
    return True


async def clear(tx: Transaction) -> None:
    """Delete the tenant's rows of every table that has a mode, and its waiting jobs; count it."""
    await tx.connection.execute(SET_RESET_TIMEOUT)
    await tx.execute(RESET)
    await tx.execute(DELETE_WAITING_JOBS)
    await tx.connection.execute(COUNT_RESET, tx.org_id, tx.real_now)


async def compare_with_agenda(tx: Transaction, kind: str) -> tuple[bool, bool]:
    """Whether the clock is on its way, and whether it stands on the agenda."""
    row = await tx.connection.fetchrow(COMPARE_WITH_AGENDA, tx.org_id, kind)
    return (False, False) if row is None else (row["moves"], row["is_found"])
