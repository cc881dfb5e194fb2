"""A worker is killed after a subscriber did its work, before the mark that it has done it."""

import os
import subprocess
import sys
from pathlib import Path

from monigo import webhooks
from monigo.infra import outbox

TESTS = Path(__file__).parent.parent
WAITING = "SELECT 1 FROM outbox_deliveries WHERE org_id = $1 AND subscriber = $2"


def test_killed_before_its_mark_a_subscriber_handles_a_fact_once(backend, api):
    plan = api.plan()
    for name in ("ada", "obi"):
        api.subscribe(api.customer(name)["id"], plan["id"])

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
    lost = _events(backend, api)
    backend.run(outbox.deliver_all(backend.services.database, webhooks.BILLING_EVENTS, api.tenant))

    assert lost == []
    assert _events(backend, api) == ["subscription.created"] * 2
    assert backend.sql(WAITING, api.org_id, webhooks.BILLING_EVENTS.name) == []


def _events(backend, api):
    rows = backend.sql("SELECT type FROM billing_events WHERE org_id = $1 ORDER BY id", api.org_id)
    return [row["type"] for row in rows]
