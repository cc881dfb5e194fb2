"""The SQL that sums up accounts; transfers are the ledger's work."""

from collections.abc import Sequence
from datetime import datetime

from monigo.infra.db import Transaction
from monigo.ledger import AccountKind, Total

# Later transfers are taken off the present balances: most are asked for of late.
SELECT_BALANCES = """
    WITH later AS (
        SELECT side.account_id, sum(side.amount) AS amount
        FROM ledger_transfers AS transfer
        CROSS JOIN LATERAL (
            VALUES (transfer.from_account_id, -transfer.amount),
                (transfer.to_account_id, transfer.amount)
        ) AS side (account_id, amount)
        WHERE transfer.org_id = $1 AND transfer.is_test = $2 AND transfer.created_at > $3
        GROUP BY side.account_id
    )
    SELECT account.kind, account.currency,
        sum(account.balance - coalesce(later.amount, 0)) AS balance
    FROM ledger_accounts AS account
    LEFT JOIN later ON later.account_id = account.id
    WHERE account.org_id = $1 AND account.is_test = $2
    GROUP BY account.kind, account.currency
    ORDER BY account.currency, account.kind
"""


async def load_balances(tx: Transaction, instant: datetime) -> Sequence[Total]:
    """The sum of each kind's balances in each currency, as they stood at an instant."""
    return [
        Total(AccountKind(row["kind"]), row["currency"], row["balance"])
        for row in await tx.fetch(SELECT_BALANCES, instant)
    ]
