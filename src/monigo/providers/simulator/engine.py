"""What happens at the simulated providers: money comes and goes, and webhooks report it."""

import asyncio
import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import UUID

from msgspec import Struct
from msgspec.structs import replace

from monigo.infra.clock import SystemClock
from monigo.providers.simulator.books import (
    FIRST_BALANCE,
    Account,
    Books,
    Charge,
    Merchant,
    Message,
    Method,
    Refund,
    Row,
    Transfer,
)
from monigo.providers.simulator.script import Script, Scripted
from monigo.providers.simulator.webhooks import Event, Sender

# What happens by itself a moment after it was answered.
SETTLE_MS = 300
REVERSAL_MS = 1_000
TRANSFER_FEE = Decimal(10)
_FEE_RATE = Decimal("0.015")
_CENT = Decimal("0.01")

# Test cards of the providers: what to call them, and why they are declined, if they are.
CARDS: dict[str, tuple[str, str]] = {
    "4084084084084081": ("Visa, reusable", ""),
    "507850785078507812": ("Verve, by PIN", ""),
    "5531886652142950": ("Mastercard, by PIN", ""),
    "507850785078507853": ("Verve, can't be saved", ""),
    "4084080000005408": ("Declined", "Declined"),
    "5143010522339965": ("Declined by issuer", "Declined: Do not honour"),
    "4084080000670037": ("Insufficient funds", "Insufficient Funds"),
    "5258585922666506": ("Insufficient funds at issuer", "Insufficient Funds"),
    "5590131743294314": ("Fraud", "Declined: suspected fraud"),
}
USUAL_CARD = "4084084084084081"
_NOT_SAVED = frozenset({"507850785078507853"})
DECLINED_CARD = "4084080000005408"
_OWN_KEY = re.compile(r"([0-9a-f]{32})([0-9a-f]{32})")
OVER = frozenset({"failed", "abandoned", "reversed"})


# The webhook that reports a row: the signature's header, the signature and the body.
EventOf = Callable[["Simulator", Row, Merchant], tuple[str, str, bytes] | None]


class Webhooks(Struct, frozen=True):
    """How a provider reports rows, and whether it sends again what was not taken."""

    event: EventOf
    is_retried: bool


class Simulator:
    """The providers' side of the world: books, scripted faults, webhooks and a clock."""

    def __init__(
        self,
        webhooks: Mapping[str, Webhooks],
        *,
        path: Path | None = None,
        url: str = "",
        home: str = "",
    ) -> None:
        self._webhooks = webhooks
        self.books = Books(path)
        self.script = Script()
        # Where people reach it: links of checkouts lead there.
        self.url = url
        # Where webhooks go of merchants whose key says which organisation they are.
        self._home = home
        self._sender: Sender | None = None
        self._clock = SystemClock()
        self._ahead = timedelta()
        # Whose each of Monnify's tokens is; all are forgotten when it stops.
        self.tokens: dict[str, str] = {}
        # By the merchant's key: Paystack takes one batch in five seconds.
        self.last_bulk_at: dict[str, datetime] = {}
        self._later: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        """Real time, and what it was sent ahead by."""
        return self._clock.now() + self._ahead

    async def advance(self, seconds: int) -> None:
        """Send the clock ahead: one-time passwords that nobody used in half an hour lapse."""
        self._ahead += timedelta(seconds=seconds)
        since = (self.now() - timedelta(minutes=30)).isoformat()
        for transfer in self.books.all(Transfer, status="otp"):
            if transfer.at < since:
                await self.settle_transfer(transfer, "abandoned")

    def clear(self) -> None:
        """Forget all but the merchants, and show real time again."""
        self.books.clear()
        self.last_bulk_at.clear()
        self._ahead = timedelta()

    def merchant(self, provider: str, secret_key: str, public_key: str = "") -> Merchant:
        """A merchant by their key, who is taken in at first sight."""
        known = self.books.one(Merchant, provider=provider, merchant=secret_key)
        if known is not None:
            return known
        merchant = Merchant(
            id=self.books.new_id(),
            provider=provider,
            merchant=secret_key,
            public_key=public_key,
            balances={},
        )
        return self.books.keep(merchant)

    def webhooks_of(self, merchant: Merchant) -> tuple[str, str]:
        """Where a merchant's webhooks go, and the secret that Flutterwave's carry.

        The address that was set, else the one that is in a key of ours: it holds the hexadecimal
        digits of the organisation's id, and 32 more, which are the secret.
        """
        own = _OWN_KEY.search(merchant.merchant) if self._home else None
        if merchant.webhook_url or own is None:
            return merchant.webhook_url, merchant.webhook_secret
        return f"{self._home}/webhooks/{merchant.provider}/{UUID(own[1])}", own[2]

    def balance(self, merchant: Merchant, currency: str) -> Decimal:
        """What a merchant can pay out."""
        return merchant.balances.get(currency, FIRST_BALANCE)

    def move(self, row: Row, currency: str, amount: Decimal) -> None:
        """Add to a merchant's balance, or take from it."""
        merchant = self.merchant(row.provider, row.merchant)
        merchant.balances[currency] = self.balance(merchant, currency) + amount
        self.books.keep(merchant)

    async def pay(self, charge: Charge, *, amount: Decimal | None = None, card: str = "") -> None:
        """A payer pays a checkout, or a pull that waits, with a card (or `bank_transfer`)."""
        if charge.status in {"success", "reversed"}:
            await self._pay_again(charge, amount, card)
            return
        channel = "bank_transfer" if card == "bank_transfer" else "card"
        used = card if card in CARDS else USUAL_CARD
        reason = CARDS[used][1] if channel == "card" else ""
        charge.channel, charge.at = channel, self.now().isoformat()
        charge.card = used if channel == "card" else ""
        if reason or charge.scripted == "failed":
            charge.status, charge.reason = "failed", reason or "Declined"
            charge.scripted = ""
            self.books.keep(charge)
            await self.notify(charge)
            return
        if charge.scripted == "pending":
            charge.status, charge.scripted = "pending", ""
            self.books.keep(charge)
            return
        is_wrong = charge.scripted == "wrong_amount"
        asked = charge.amount / 2 if is_wrong else charge.amount
        charge.paid = (amount or asked).quantize(_CENT)
        await self.succeed(charge)

    async def succeed(self, charge: Charge) -> None:
        """A charge succeeds: the merchant's balance grows, and a card may be charged again."""
        charge.status, charge.reason = "success", "Approved"
        charge.paid = charge.paid or charge.amount
        charge.fee = (charge.paid * _FEE_RATE).quantize(_CENT)
        charge.session = charge.session or secrets.token_hex(15)
        charge.at = self.now().isoformat()
        if charge.card and charge.card not in _NOT_SAVED:
            charge.token = charge.token or self._method(charge).token
        self.books.keep(charge)
        self.move(charge, charge.currency, charge.paid - charge.fee)
        await self.notify(charge)
        if charge.scripted == "reversed_later":
            self.later(REVERSAL_MS, lambda: self.reverse_charge(charge))

    async def _pay_again(self, charge: Charge, amount: Decimal | None, card: str) -> None:
        """The same link is paid once more, which one of the providers lets happen."""
        if charge.provider != "flutterwave":
            return
        again = Charge(
            id=self.books.new_id(),
            provider=charge.provider,
            merchant=charge.merchant,
            reference=charge.reference,
            amount=charge.amount,
            currency=charge.currency,
            status="open",
            email=charge.email,
            name=charge.name,
        )
        await self.pay(self.books.keep(again), amount=amount, card=card)

    async def reverse_charge(self, charge: Charge) -> None:
        """What was taken goes back, hours after it succeeded."""
        charge.status = "reversed"
        self.books.keep(charge)
        self.move(charge, charge.currency, -(charge.paid or charge.amount))

    async def deposit(self, account: Account, amount: Decimal, currency: str) -> Charge:
        """Money comes into a virtual account by itself."""
        row_id = self.books.new_id()
        is_named = account.provider == "flutterwave"
        charge = Charge(
            id=row_id,
            provider=account.provider,
            merchant=account.merchant,
            # Flutterwave names the reference that the account was opened with.
            reference=account.reference if is_named else f"deposit-{row_id}",
            amount=amount,
            currency=currency,
            status="open",
            email=account.email,
            name=account.name,
            channel="deposit",
            number=account.number,
            customer=account.customer,
        )
        await self.succeed(self.books.keep(charge))
        return charge

    def reserve(self, transfer: Transfer) -> bool:
        """Take a payout and its fee from the balance; False if that does not hold them."""
        merchant = self.merchant(transfer.provider, transfer.merchant)
        whole = transfer.amount + transfer.fee
        if self.balance(merchant, transfer.currency) < whole:
            return False
        self.move(transfer, transfer.currency, -whole)
        return True

    async def settle_transfer(self, transfer: Transfer, status: str, reason: str = "") -> None:
        """A payout ends, or comes back after it had ended; the provider sends a webhook."""
        if transfer.status in OVER or transfer.status == status:
            return
        transfer.status, transfer.reason = status, reason
        transfer.at = self.now().isoformat()
        if status in OVER:
            self.move(transfer, transfer.currency, transfer.amount + transfer.fee)
        else:
            transfer.session = transfer.session or secrets.token_hex(15)
        self.books.keep(transfer)
        await self.notify(transfer)

    async def begin_transfer(self, transfer: Transfer, scripted: Scripted | None) -> None:
        """A payout that was taken goes its way: at once, later, or as it is scripted."""
        outcome = scripted.outcome if scripted else ""
        delay_ms = scripted.delay_ms if scripted else 0
        match outcome:
            case "failed":
                await self.settle_transfer(transfer, "failed", "Account could not be credited")
            case "needs_action":
                transfer.status = "otp"
                self.books.keep(transfer)
            case "pending":
                if delay_ms:
                    self.later(delay_ms, lambda: self.settle_transfer(transfer, "success"))
            case _ if transfer.provider == "flutterwave":
                self.later(SETTLE_MS, lambda: self.settle_transfer(transfer, "success"))
            case _:
                await self.settle_transfer(transfer, "success")
        if outcome == "reversed_later":
            wait = max(delay_ms, REVERSAL_MS)
            self.later(wait, lambda: self.settle_transfer(transfer, "reversed"))

    async def settle_refund(self, refund: Refund, status: str, reason: str = "") -> None:
        """A refund ends; the provider sends a webhook."""
        if refund.status in {"success", "failed"}:
            return
        refund.status, refund.reason = status, reason
        refund.at = self.now().isoformat()
        self.books.keep(refund)
        if status == "success":
            self.move(refund, refund.currency, -refund.amount)
        await self.notify(refund)

    async def settle_message(self, message: Message, status: str, reason: str = "") -> None:
        """Something becomes of a message, which a webhook reports; in whatever order."""
        message.status, message.reason = status, reason
        message.at = str(int(self.now().timestamp()))
        self.books.keep(message)
        await self.notify(message)

    def refunded(self, charge: Charge) -> Decimal:
        """What was sent back of a charge, or is on its way."""
        found = self.books.all(Refund, charge=charge.id)
        return sum((one.amount for one in found if one.status != "failed"), Decimal(0))

    def later(self, ms: int, work: Callable[[], Awaitable[None]]) -> None:
        """Have something happen by itself."""

        async def wait() -> None:
            await asyncio.sleep(ms / 1000)
            await work()

        task = asyncio.create_task(wait())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def notify(self, row: Row) -> None:
        """Send the webhook that reports a row, where its merchant wants any."""
        merchant = self.merchant(row.provider, row.merchant)
        webhooks = self._webhooks[row.provider]
        url, secret = self.webhooks_of(merchant)
        receiver = replace(merchant, webhook_url=url, webhook_secret=secret)
        made = webhooks.event(self, row, receiver) if url else None
        if made is None:
            return
        header, signature, body = made
        if self._sender is None:
            self._sender = Sender(self.script)
        event = Event(row.provider, url, header, signature, body, webhooks.is_retried)
        await self._sender.send(event)

    async def close(self) -> None:
        """Stop all that happens by itself, and close the books."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()
        self.books.close()

    def _method(self, charge: Charge) -> Method:
        names = {"provider": charge.provider, "merchant": charge.merchant}
        known = self.books.one(Method, **names, card=charge.card, email=charge.email)
        token = {"paystack": "AUTH_", "flutterwave": "flw-t1nf-", "monnify": "MNFY_"}
        return known or self.books.keep(
            Method(
                id=self.books.new_id(),
                **names,
                token=token[charge.provider] + secrets.token_hex(8),
                card=charge.card,
                email=charge.email,
            )
        )
