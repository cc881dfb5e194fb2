"""An idle worker: what 10,000 organisations that do nothing cost it, of one core.

Fills a fresh database by SQL with organisations, half of them with a test clock that stands, each
with a few entries on the agenda that are due in a month, in both modes. Then a worker of its own
runs beside the database, and the processor time of both is counted.
Usage: bench/idle.py [ORGANISATIONS [SECONDS]]; without, 10,000 and 60.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

from rig import MONIGO, System, running_system, sql

ENTRIES_EACH = 3
KINDS = ("period_close", "reservation_expiry", "event_retention")
SETTLE_SECONDS = 10


def fill(system: System, count: int) -> None:
    """Organisations as they are after their first day: something is due of each, but not now."""
    kinds = ", ".join(f"'{kind}'" for kind in KINDS)
    sql(
        system.database_url,
        "SET synchronous_commit = off",
        f"""
        CREATE TEMPORARY TABLE made AS
        SELECT gen_random_uuid() AS org_id, number FROM generate_series(1, {count}) AS number
        """,
        f"""
        INSERT INTO organizations
        SELECT (jsonb_populate_record(known, jsonb_build_object('org_id', made.org_id))).*
        FROM organizations AS known, made WHERE known.org_id = '{system.org_id}'
        """,
        "INSERT INTO tenant_lookups (org_id) SELECT org_id FROM made",
        """
        INSERT INTO test_clocks (org_id, now_at, steps, failure, resets, updated_at)
        SELECT org_id, now(), 0, '', 0, now() FROM made WHERE number % 2 = 0
        """,
        f"""
        INSERT INTO agenda (org_id, is_test, kind, subject, due_at, runs_at, version, attempts,
            reason)
        SELECT org_id, mode.is_test, kind.kind, gen_random_uuid(), now() + interval '30 days',
            CASE WHEN mode.is_test AND number % 2 = 0 THEN 'infinity'
                ELSE now() + interval '30 days' END, 1, 0, ''
        FROM made, (VALUES (true), (false)) AS mode (is_test),
            unnest(ARRAY[{kinds}]) AS kind (kind)
        """,
        "VACUUM ANALYZE agenda",
        "CHECKPOINT",
        "SELECT 1",
    )


def processor_seconds(*pids: int) -> float:
    """The processor time that processes have taken so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def backends(system: System) -> list[int]:
    """The processes of the database that serve the application."""
    query = "SELECT pid FROM pg_stat_activity WHERE usename = 'monigo_app'"
    return [row[0] for row in sql(system.database_url, query)]


def main() -> None:
    """Measure a worker that has nothing to do, without and with all the organisations."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    seconds = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with running_system() as system:
        before = backends(system)
        for told, organisations in (("alone", 0), ("with them", count)):
            if organisations:
                fill(system, organisations)
            settings = {**os.environ, "MONIGO_DATABASE_URL": system.database_url}
            worker = subprocess.Popen([MONIGO, "worker"], env=settings, stdout=subprocess.DEVNULL)
            time.sleep(SETTLE_SECONDS)
            served = [pid for pid in backends(system) if pid not in before]
            took = processor_seconds(worker.pid), processor_seconds(*served)
            time.sleep(seconds)
            own = processor_seconds(worker.pid) - took[0]
            database = processor_seconds(*served) - took[1]
            worker.terminate()
            worker.wait(60)
            print(
                f"{told}, {organisations:,} organisations: worker {100 * own / seconds:.2f} % of a"
                f" core, its database sessions {100 * database / seconds:.2f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
