"""Alerts as merchants set them up, and the looks that workers take."""

from monigo import metering
from monigo.alerts import CLOCK_TASKS, TASKS
from support.agenda import do
from support.api import event


def alert(api, alert_type, scope, scope_id, *values, **fields):
    """An alert with thresholds of these values."""
    body = {
        "type": alert_type,
        "scope": scope,
        "scope_id": scope_id,
        "thresholds": [{"value": value, "label": f"at {value}"} for value in values],
        **fields,
    }
    return api.make("/v1/alerts", body, "alert")


def usage_alert(api, scope, scope_id, metric, *values, **fields):
    """An alert of a metric's usage."""
    return alert(api, "usage_exceeded", scope, scope_id, *values, metric_id=metric["id"], **fields)


def plant_alerts(api, external_id):
    """Alerts, one that has found something, and usage that none has looked at; their ids."""
    metrics = api.get("/v1/metrics").json()["metrics"]
    (metric,) = [one for one in metrics if one["event_name"] == "api_call"]
    made = usage_alert(api, "customer", external_id, metric, "1", "1000000")
    alert(api, "wallet_balance_dropped", "customer", external_id, "1000000")
    settle(api)
    (state,) = states(api, type="usage_exceeded")
    api.ingest(event("alerting-1", external_id))
    api.backend.run(metering.fold_all(api.backend.services.database))
    return {"alert_id": made["id"], "alert_state_id": state["id"]}


def settle(api):
    """What workers do: fold, and look at all that is to be looked at."""
    api.backend.run(metering.fold_all(api.backend.services.database))
    do(api, *TASKS, *CLOCK_TASKS, *TASKS, *CLOCK_TASKS)


def states(api, **wanted):
    """What was reached, the oldest first."""
    answer = api.get("/v1/alerts/triggered", params=wanted)
    assert answer.status_code == 200, answer.text
    return answer.json()["states"][::-1]


def reached(api, **wanted):
    """The values of the thresholds that were reached, the oldest first."""
    return [one["threshold"]["value"] for one in states(api, **wanted)]


def told(api, name="alert.triggered"):
    """What billing events say, the oldest first."""
    events = api.get("/v1/billing-events", params={"type": name}).json()["events"]
    return [event["data"]["alert"] for event in events[::-1]]
