"""A worker is killed after a subscriber did its work, before the mark that it has done it."""

import os
import subprocess
import sys
from pathlib import Path

from monigo import audit
from monigo.infra import outbox

TESTS = Path(__file__).parent.parent
WAITING = "SELECT 1 FROM outbox_deliveries WHERE org_id = $1 AND subscriber = $2"


def test_killed_before_its_mark_a_subscriber_handles_a_fact_once(backend, api):
    for name in ("ada", "obi"):
        api.customer(name)

    ahead = str(backend.clock.ahead.total_seconds())
    arguments = [backend.app_url, str(api.org_id), ahead]
    worker = subprocess.Popen(
        [sys.executable, "-m", "support.stuck_subscriber", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )
    with worker:
        assert worker.stdout.readline() == "handled\n"
        worker.kill()
    lost = _logged(backend, api)
    backend.run(outbox.deliver_all(backend.services.database, audit.CHAIN, api.tenant))

    assert lost == []
    assert _logged(backend, api) == ["create_customer"] * 2
    assert backend.sql(WAITING, api.org_id, audit.CHAIN.name) == []


def _logged(backend, api):
    query = "SELECT action FROM audit_entries WHERE org_id = $1 ORDER BY sequence"
    return [row["action"] for row in backend.sql(query, api.org_id)]
