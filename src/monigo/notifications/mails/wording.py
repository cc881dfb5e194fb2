"""What mails to customers say. Pure; the words are the catalogue's."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from monigo.alerts import AlertType
from monigo.core.money import Money
from monigo.infra.languages import Language, language_of
from monigo.notifications.mails.types import Content
from monigo.notifications.occasions import (
    Circumstances,
    Occasion,
    ReachedThreshold,
    measured,
    number_of,
    shown_name,
)
from monigo.tenancy import MailType

_TICK = timedelta(microseconds=1)


def content_of(occasion: Occasion, known: Circumstances) -> Content:
    """What a mail says, in the customer's language, or else the organisation's."""
    writer = _Writer(occasion, known)
    return _CONTENTS[occasion.type](writer)


class _Writer:
    """An occasion and its circumstances, put into the texts of one language."""

    def __init__(self, occasion: Occasion, known: Circumstances) -> None:
        organization, customer = known.organization, known.customer
        locale = "" if customer is None else customer.locale
        self.occasion = occasion
        self.known = known
        self.language: Language = language_of(
            locale, organization.mails.default_locale, country=organization.country
        )
        self.values = {
            "organization": shown_name(organization.name),
            "number": number_of(occasion, known),
            "amount": self.money(),
            "period": self._period(),
            "last4": "" if occasion.card is None else occasion.card.last4,
        }

    def text(self, key: str, *, count: int | None = None, **values: str) -> str:
        """A text of this type of mail."""
        return self.language.text(f"mail.{key}", count=count, **{**self.values, **values})

    def row(self, label: str, value: str) -> tuple[tuple[str, str], ...]:
        """A row of a mail's table; none without a value."""
        return ((self.language.text(f"label.{label}"), value),) if value else ()

    def content(
        self,
        subject: str,
        *paragraphs: str,
        rows: tuple[tuple[str, str], ...] = (),
        is_payable: bool = False,
    ) -> Content:
        """A mail, greeting first; with a button where there is a link to pay by."""
        customer = self.known.customer
        name = "" if customer is None else shown_name(customer.name)
        hello = (
            self.language.text("mail.hello", name=name)
            if name
            else self.language.text("mail.hello_nameless")
        )
        url = self.known.pay_url if is_payable else ""
        button = (self.text("pay", amount=self.due()), url) if url else None
        if self.known.is_test:
            subject = self.language.text("mail.test_subject", subject=subject)
        return Content(self.language, subject, (hello, *paragraphs), rows, button)

    def money(self) -> str:
        """The occasion's amount; empty for none."""
        amount = self.occasion.amount
        if amount is None:
            return ""
        return self.language.amount(Money(amount, self.occasion.currency))

    def measured(self, reached: ReachedThreshold | None, value: Decimal | None) -> str:
        """What an alert watches: a quantity, or money; empty where nothing was reached."""
        if reached is None or value is None:
            return ""
        return measured(reached, value, self.occasion.currency, self.language)

    def due(self) -> str:
        """What is still to be paid of the document, or else the occasion's amount."""
        document = self.known.document
        return self.money() if document is None else self.language.amount(document.due)

    def day(self, instant: datetime | None) -> str:
        """A day in the organisation's zone; empty for none."""
        return "" if instant is None else self.language.date(instant, self.known.zone)

    def last_day(self, deadline: datetime | None) -> str:
        """The last day before a deadline, which is often the midnight after it."""
        return "" if deadline is None else self.day(deadline - _TICK)

    def _period(self) -> str:
        start, end = self.occasion.period_start, self.occasion.period_end
        if start is None or end is None:
            return ""
        return self.language.days(start, end, self.known.zone)


def _invoice_finalized(writer: _Writer) -> Content:
    document = writer.known.document
    is_due = document is None or bool(document.due)
    due_date = writer.occasion.due_date if document is None else document.due_date
    due = writer.text("invoice_finalized.due", amount=writer.due(), date=writer.last_day(due_date))
    return writer.content(
        writer.text("invoice_finalized.subject"),
        writer.text("invoice_finalized.body"),
        due if is_due else writer.text("invoice_finalized.paid"),
        rows=(
            *writer.row("invoice", writer.values["number"]),
            *writer.row("period", writer.values["period"]),
            *writer.row("total", writer.money()),
            *writer.row("amount_due", writer.due()),
            *writer.row("due_date", writer.last_day(due_date) if is_due else ""),
        ),
        is_payable=is_due,
    )


def _invoice_overdue(writer: _Writer) -> Content:
    occasion = writer.occasion
    date = writer.last_day(occasion.due_date)
    late = 0 if occasion.due_date is None else (occasion.occurred_at - occasion.due_date).days
    return writer.content(
        writer.text("invoice_overdue.subject"),
        writer.text("invoice_overdue.body", amount=writer.due(), date=date),
        *([writer.text("invoice_overdue.days", count=late)] if late else []),
        writer.text("invoice_overdue.paid_already"),
        rows=(
            *writer.row("invoice", writer.values["number"]),
            *writer.row("amount_due", writer.due()),
            *writer.row("due_date", date),
        ),
        is_payable=True,
    )


def _receipt(writer: _Writer) -> Content:
    occasion = writer.occasion
    return writer.content(
        writer.text("receipt.subject"),
        writer.text(f"receipt.{_purpose(writer)}"),
        rows=(
            *writer.row("paid", writer.money()),
            *writer.row("date", writer.day(occasion.occurred_at)),
            *writer.row("invoice", writer.values["number"]),
            *writer.row("reference", occasion.reference),
        ),
    )


def _payment_failed(writer: _Writer) -> Content:
    purpose = "invoice" if writer.values["number"] else "wallet"
    return writer.content(
        writer.text("payment_failed.subject"),
        writer.text(f"payment_failed.{purpose}"),
        writer.text("payment_failed.next"),
        rows=(
            *writer.row("amount", writer.money()),
            *writer.row("invoice", writer.values["number"]),
            *writer.row("reference", writer.occasion.reference),
        ),
        is_payable=True,
    )


def _purpose(writer: _Writer) -> str:
    if writer.values["number"]:
        return "invoice"
    return "wallet" if writer.occasion.is_for_wallet else "other"


def _card_expiring(writer: _Writer) -> Content:
    card = writer.occasion.card
    key = "card_expired" if card is not None and card.is_expired else "card_expiring"
    shown = "" if card is None else f"{card.brand} •••• {card.last4}".strip()
    until = "" if card is None else writer.language.month(card.year, card.month)
    return writer.content(
        writer.text(f"{key}.subject"),
        writer.text(f"{key}.body"),
        rows=(*writer.row("card", shown), *writer.row("valid_until", until)),
    )


def _payout_sent(writer: _Writer) -> Content:
    return writer.content(
        writer.text("payout_sent.subject"),
        writer.text("payout_sent.body"),
        rows=(
            *writer.row("amount", writer.money()),
            *writer.row("statement", writer.values["number"]),
            *writer.row("period", writer.values["period"]),
        ),
    )


def _balance_low(writer: _Writer) -> Content:
    return writer.content(writer.text("balance_low.subject"), writer.text("balance_low.body"))


def _alert(writer: _Writer) -> Content:
    reached = writer.occasion.reached
    kind = AlertType.USAGE_EXCEEDED if reached is None else reached.kind
    value = writer.measured(reached, reached and reached.value)
    threshold = writer.measured(reached, reached and reached.threshold)
    label = "" if reached is None else shown_name(reached.label)
    return writer.content(
        writer.text("alert.subject", value=value),
        writer.text(f"alert.{kind}", value=value),
        rows=(
            *writer.row("alert", label),
            *writer.row("threshold", threshold),
            *writer.row("value", value),
            *writer.row("period", writer.values["period"]),
        ),
    )


_CONTENTS: Mapping[MailType, Callable[[_Writer], Content]] = {
    MailType.INVOICE_FINALIZED: _invoice_finalized,
    MailType.INVOICE_OVERDUE: _invoice_overdue,
    MailType.RECEIPT: _receipt,
    MailType.PAYMENT_FAILED: _payment_failed,
    MailType.CARD_EXPIRING: _card_expiring,
    MailType.PAYOUT_SENT: _payout_sent,
    MailType.BALANCE_LOW: _balance_low,
    MailType.ALERT: _alert,
}
