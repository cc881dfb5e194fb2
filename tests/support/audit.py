"""What the audit log tells, and the SQL of who owns it."""

from monigo.audit import Call

# What a request for a movement comes with, for tests that ask below the routes.
CALL = Call(
    "credit_wallet",
    "POST /v1/wallets/{wallet_id}/credit",
    "wallets:credit",
    address="127.0.0.1",
    user_agent="test",
    request_id="",
)


def entries(api, **wanted):
    """An organisation's entries, oldest first, as who reads its log gets them."""
    answer = api.get("/api/v1/audit-logs", params={"limit": 1_000, **wanted})
    assert answer.status_code == 200, answer.text
    return list(reversed(answer.json()["audit_logs"]))


def changed(entry):
    """The fields of an entry, each with what it was and what it is."""
    before, after = entry["before"] or {}, entry["after"] or {}
    return {name: (before.get(name), after.get(name)) for name in {**before, **after}}
