"""What whoever owns the database changes in the ledger or the wallets is found by `verify`."""

import pytest

from monigo.cli.verification import verify_tenant

# A fault, and what `verify` calls it. The parameter is the organisation.
FAULTS = {
    "description changed": (
        "UPDATE ledger_transfers SET description = 'x' WHERE org_id = $1 AND description = 'third'",
        "ledger entry",
    ),
    "time changed": (
        "UPDATE ledger_transfers SET created_at = created_at - interval '1 day' WHERE org_id = $1",
        "ledger entry",
    ),
    "metadata changed": (
        """UPDATE ledger_transfers SET metadata = '{"a": 1}' WHERE org_id = $1""",
        "ledger entry",
    ),
    "amount changed with its balances": (
        (
            "UPDATE ledger_transfers SET amount = amount + 1,"
            " from_balance_after = from_balance_after - 1, to_balance_after = to_balance_after + 1"
            " WHERE org_id = $1 AND description = 'third'"
        ),
        "ledger entry",
    ),
    "last transfer lost": (
        "DELETE FROM ledger_transfers WHERE org_id = $1 AND description = 'third'",
        "ledger account",
    ),
    "transfer in between lost": (
        "DELETE FROM ledger_transfers WHERE org_id = $1 AND description = 'second'",
        "ledger entry",
    ),
    "transfers swapped": (
        (
            "UPDATE ledger_transfers SET from_sequence = from_sequence + 10 WHERE org_id = $1"
            " AND description = 'second'"
        ),
        "ledger entry",
    ),
    "balance changed": (
        "UPDATE ledger_accounts SET balance = balance + 1 WHERE org_id = $1",
        "ledger account",
    ),
    "sequence changed": (
        "UPDATE ledger_accounts SET sequence = sequence + 1 WHERE org_id = $1",
        "ledger account",
    ),
    "head changed": (
        "UPDATE ledger_accounts SET chain_hash = sha256('x') WHERE org_id = $1",
        "ledger account",
    ),
    "kind changed": (
        "UPDATE ledger_accounts SET kind = 'provider' WHERE org_id = $1 AND kind = 'reserved'",
        "account of a wallet",
    ),
    "money made": (
        (
            "UPDATE ledger_accounts SET balance = balance + 1"
            " WHERE org_id = $1 AND kind = 'customer_wallet'"
        ),
        "accounts of a customer",
    ),
    "reservation lost": (
        "DELETE FROM wallet_reservations WHERE org_id = $1",
        "reserved balance",
    ),
    "reservation changed": (
        "UPDATE wallet_reservations SET amount = amount + 1 WHERE org_id = $1",
        "reserved balance",
    ),
    "end of a reservation forgotten": (
        "DELETE FROM agenda WHERE org_id = $1 AND kind = 'reservation_expiry'",
        "due work of a reservation",
    ),
    "end of a grant forgotten": (
        "UPDATE credit_grants SET expires_at = created_at + interval '1 day' WHERE org_id = $1",
        "due work of a credit grant",
    ),
    "due work that is put off for ever": (
        (
            "WITH late AS (UPDATE agenda SET runs_at = 'infinity' WHERE org_id = $1)"
            " INSERT INTO test_clocks (org_id, now_at, steps, failure, resets, updated_at)"
            " VALUES ($1, now() + interval '1 year', 0, '', 0, now())"
        ),
        "due work that nobody runs",
    ),
    "grant changed": (
        "UPDATE credit_grants SET amount = amount + 1 WHERE org_id = $1",
        "credit grant",
    ),
    "grant expired with credit left": (
        (
            "UPDATE credit_grants SET expires_at = created_at + interval '1 day',"
            " expired_at = created_at + interval '2 days' WHERE org_id = $1"
        ),
        "credit grant",
    ),
    "account put to another wallet": (
        (
            "UPDATE wallets SET provider_account_id = revenue_account_id,"
            " revenue_account_id = provider_account_id WHERE org_id = $1"
        ),
        "account of a wallet",
    ),
}


@pytest.fixture
def merchant(api):
    """A wallet with three movements, a reservation and a credit."""
    api.customer()
    wallet = api.wallet(funds="100")
    for name in ("first", "second", "third"):
        assert api.move(wallet, "debit", "10", description=name).status_code == 200
    body = {"amount": "5", "currency": "NGN"}
    for action in ("reservations", "credits"):
        path = f"/v1/wallets/{wallet['id']}/{action}"
        assert api.post(path, json={**body, "idempotency_key": action}).status_code == 201
    return api


def found(backend, api):
    verifications = backend.run(verify_tenant(backend.services.database, api.tenant))
    return {difference.what for one in verifications for difference in one.differences}


def test_verifications_count_under_names_of_their_own(merchant, backend):
    verifications = backend.run(verify_tenant(backend.services.database, merchant.tenant))

    names = [name for one in verifications for name in one.looked_at]

    assert sorted(names) == sorted(set(names))


def test_a_healthy_ledger_has_no_differences(merchant, backend):
    verifications = backend.run(verify_tenant(backend.services.database, merchant.tenant))

    looked_at = {name: count for one in verifications for name, count in one.looked_at.items()}
    assert found(backend, merchant) == set()
    assert (looked_at["accounts"], looked_at["transfers"]) == (5, 6)
    assert (looked_at["wallets"], looked_at["reservations"], looked_at["credit_grants"]) == (
        1,
        1,
        1,
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(merchant, backend, fault):
    statement, named = FAULTS[fault]
    backend.sql(statement, merchant.org_id)

    assert named in found(backend, merchant)


def test_another_tenants_fault_is_not_told_as_ones_own(merchant, api, backend):
    backend.sql(FAULTS["balance changed"][0], merchant.org_id)
    with type(api).of_new_organization(backend) as other:
        other.customer()
        other.wallet(funds="1")

        assert found(backend, other) == set()


def test_chains_hold_whatever_time_zone_the_server_speaks(merchant, backend):
    links = """
        SELECT encode(
            ledger_transfer_content(
                org_id, is_test, id, transaction_id, from_account_id, to_account_id, amount,
                currency, entry_type, description, reference_type, reference_id, counterparty,
                idempotency_key, metadata, created_at
            ), 'hex'
        ) AS content
        FROM ledger_transfers WHERE org_id = $1 ORDER BY id
    """
    utc = backend.sql(links, merchant.org_id)
    backend.sql("ALTER ROLE CURRENT_USER SET timezone = 'Africa/Lagos'")

    elsewhere = backend.sql(links, merchant.org_id)
    backend.sql("ALTER ROLE CURRENT_USER RESET timezone")

    assert elsewhere == utc
