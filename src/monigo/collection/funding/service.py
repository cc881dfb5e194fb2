"""Use cases of funding: links by which wallets are paid into, and bank accounts that fund them."""

from collections.abc import Sequence
from uuid import UUID

from monigo import customers, wallets
from monigo.collection.funding.rules import (
    SAME_WITHIN,
    check_amount,
    check_currency,
    check_fundable,
    is_same_funding,
)
from monigo.collection.funding.types import Funding, Session
from monigo.core.errors import invalid, not_found
from monigo.core.money import Money
from monigo.infra.db import Transaction
from monigo.payments import accounts, charges, connections
from monigo.payments.accounts import NewAccount, VirtualAccount
from monigo.payments.charges import Charge, NewCheckout
from monigo.payments.connections import Connection, Purpose
from monigo.providers.registry import adapter_of
from monigo.wallets import Wallet, WalletStatus


async def fund(
    tx: Transaction, wallet_id: UUID, funding: Funding, *, currency: str | None = None
) -> Charge:
    """Intend a link by which a wallet is paid into; the provider is asked for it afterwards.

    What is paid by it is credited when the provider says so, whatever a browser says. The same
    asked for again within a minute gets the same link.

    A `currency` that is given must be the wallet's own.

    Raises:
        DomainError: not_found; invalid (amount, currency, provider, customer.email); conflict,
            where the wallet is not active.
    """
    wallet = await wallets.get(tx, wallet_id)
    check_fundable(wallet)
    check_currency(wallet, currency)
    connection = await connection_of(tx, wallet, funding.provider)
    amount = Money(funding.amount, wallet.currency)
    provider = adapter_of(connection.provider).capabilities
    check_amount(amount, provider)
    wanted = NewCheckout(
        purpose=charges.Purpose.WALLET,
        amount=amount,
        customer_id=wallet.customer_id,
        connection_id=connection.id,
        provider=connection.provider,
        email=await email_of(tx, wallet),
        wallet_id=wallet.id,
        description="wallet funding",
        return_url=funding.return_url,
        is_inline=funding.is_inline and not provider.opens_widget_by_code,
    )
    # Of two at once the second waits here, and then finds the first one's.
    await wallets.lock_wallet(tx, wallet.id)
    recent = await charges.charges_of_wallet(tx, wallet.id, tx.now - SAME_WITHIN)
    for one in recent:
        if is_same_funding(one, wanted, tx.real_now):
            return one
    charge = await charges.create_checkout(tx, wanted)
    tx.changed(None, charge)
    return charge


async def session_of(tx: Transaction, charge: Charge) -> Session:
    """What a page needs to open the provider's widget for a charge.

    Raises:
        DomainError: not_found, where the connection or the customer is gone.
    """
    connection = await connections.find(tx, charge.connection_id)
    if connection is None:
        raise not_found("payment_connection")
    credentials = connection.credentials[tx.is_test]
    customer = await customers.get(tx, charge.customer_id)
    return Session(
        customer_name=customer.details.name,
        public_key=credentials.public_key,
        contract_code=credentials.contract_code,
    )


async def want_account(
    tx: Transaction, wallet_id: UUID, provider: str, currency: str | None
) -> VirtualAccount:
    """Intend a virtual account whose deposits fund a wallet; the one that it has, if there is one.

    A `currency` that is given must be the wallet's own.

    Raises:
        DomainError: not_found; invalid (provider, currency, customer.email); unsupported, by the
            provider; conflict, where the wallet is not active.
    """
    wallet = await wallets.get(tx, wallet_id)
    check_fundable(wallet)
    check_currency(wallet, currency)
    accounts.check_offered(provider, wallet.currency)
    connection = await connection_of(tx, wallet, provider)
    await email_of(tx, wallet)
    return await accounts.want(
        tx,
        NewAccount(
            customer_id=wallet.customer_id,
            wallet_id=wallet.id,
            connection_id=connection.id,
            provider=connection.provider,
            currency=wallet.currency,
        ),
    )


async def close_account(tx: Transaction, wallet_id: UUID, account_id: UUID) -> VirtualAccount:
    """Have a wallet's virtual account closed; one that is closed stays so.

    Raises:
        DomainError: not_found.
    """
    account = await accounts.get(tx, account_id)
    if account.wallet_id != wallet_id:
        raise not_found("virtual_account")
    begun = await accounts.begin_closing(tx, [account.id], is_called=True)
    return begun[0] if begun else account


async def close_accounts(
    tx: Transaction, changed: Sequence[wallets.events.WalletStatusChanged]
) -> None:
    """Have the virtual accounts closed of wallets that were closed."""
    closed = [one.wallet_id for one in changed if one.status is WalletStatus.CLOSED]
    if closed:
        await accounts.close_of_wallets(tx, closed)


async def connection_of(tx: Transaction, wallet: Wallet, provider: str | None) -> Connection:
    """The connection by which money comes in for a wallet.

    Raises:
        DomainError: invalid, where there is none that is on and collects the wallet's currency.
    """
    found = await connections.pick(
        tx, currency=wallet.currency, purpose=Purpose.COLLECT, provider=provider
    )
    if found is None:
        which = f"{provider} connection" if provider else "payment connection"
        raise invalid({"provider": f"there is no {which} that collects {wallet.currency}"})
    return found


async def email_of(tx: Transaction, wallet: Wallet) -> str:
    """The e-mail of a wallet's customer, without which no provider takes money.

    Raises:
        DomainError: invalid, where the customer has none; not_found, where it is deleted.
    """
    customer = await customers.get(tx, wallet.customer_id)
    if not customer.details.email:
        raise invalid({"customer.email": "is needed by the provider"})
    return customer.details.email
