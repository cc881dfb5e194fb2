"""Accounts and transfers of one tenant, for tests that look below the wallets."""

from decimal import Decimal
from uuid import uuid4

from monigo import ledger
from monigo.core.ids import LedgerAccountId, TransactionId
from monigo.infra.ids import new_id
from monigo.ledger import AccountKind, EntryType, NewAccount, Posting


class Book:
    """Calls the ledger's use cases, each in a transaction of its own."""

    def __init__(self, backend, tenant):
        self.backend = backend
        self.tenant = tenant

    def open(self, kind=AccountKind.CUSTOMER_WALLET, currency="NGN", funds="0"):
        """A new account; its funds come from a provider's account of its own."""
        account_id = LedgerAccountId(new_id())
        self.call(ledger.open_accounts, [NewAccount(account_id, kind, currency)])
        if Decimal(funds):
            source = self.open(AccountKind.PROVIDER, currency)
            self.post(posting(source, account_id, funds, currency=currency))
        return account_id

    def post(self, *postings, requests=()):
        return self.call(ledger.post, postings, requests)

    def balance(self, account_id):
        return self.call(ledger.load_accounts, [account_id])[account_id].balance

    def differences(self):
        return self.call(ledger.verify).differences

    def call(self, function, *arguments, **named):
        async def run():
            async with self.backend.services.database.transaction(self.tenant) as tx:
                return await function(tx, *arguments, **named)

        return self.backend.run(run())


def posting(source, target, amount, *, currency="NGN", entry_type=EntryType.DEPOSIT, **fields):
    return Posting(
        transaction_id=fields.pop("transaction_id", None) or TransactionId(uuid4()),
        from_account_id=source,
        to_account_id=target,
        amount=Decimal(amount),
        currency=currency,
        entry_type=entry_type,
        **fields,
    )
