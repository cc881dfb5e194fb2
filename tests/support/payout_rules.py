"""Plans that pay whom events name."""

from monigo import metering
from support.agenda import do
from support.api import event
from support.jobs import run_replay

RIDE = {
    "trigger_event": "ride",
    "recipient_field": "driver",
    "amount_expression": "fare * 0.80",
}


def paying_plan(api, *rules, run=True, **fields):
    """A payout plan with rules, of which all stored events are worked out already."""
    body = {"plan_type": "payout", "payout_rules": list(rules or (RIDE,)), **fields}
    plan = api.plan(**body)
    if run:
        run_replays(api)
    return plan


def run_replays(api):
    """What workers do of rules that are new: stored events are worked out by them."""
    for job in reversed(api.get("/v1/events/replay").json()["jobs"]):
        if job["status"] == "pending":
            run_replay(api, job["id"])


def ride(key, driver="d1", fare="100", *, rider="c1", **fields):
    properties = fields.pop("properties", {"fare": fare, "driver": driver})
    return event(key, rider, name="ride", properties=properties, **fields)


def attribute(api):
    """What workers do for recipients who have become customers."""
    do(api, metering.ATTRIBUTE)


def bills(api):
    found = api.get("/v1/bills").json()["bills"]
    return sorted(found, key=lambda bill: (bill["period_start"], bill["issued_at"] or ""))


def lines(bill):
    return [(line["description"], line["quantity"], line["amount"]) for line in bill["line_items"]]
