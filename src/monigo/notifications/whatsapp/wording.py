"""Pure: what the parameters of each template say, in its language."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from monigo.core.money import Money
from monigo.infra.languages import Language, language_of
from monigo.notifications.occasions import (
    Circumstances,
    Occasion,
    measured,
    number_of,
    shown_name,
    undone,
)
from monigo.notifications.whatsapp.rules import SENT_WITHIN, language_among, phone_of
from monigo.notifications.whatsapp.types import Address, Fault, Message, Notice
from monigo.tenancy import MailType

# WhatsApp refuses a parameter that is empty.
NOTHING = "-"
# Meta's own sample, which each account has.
TEST_TEMPLATE, TEST_LANGUAGE = "hello_world", "en_US"

# What {{1}}, {{2}} and so on of a template are, in this order.
PARAMETERS: Mapping[MailType, tuple[str, ...]] = {
    MailType.INVOICE_FINALIZED: ("customer", "organization", "number", "due", "due_date"),
    MailType.INVOICE_OVERDUE: ("customer", "organization", "number", "due", "due_date"),
    MailType.RECEIPT: ("customer", "organization", "amount", "reference"),
    MailType.PAYMENT_FAILED: ("customer", "organization", "amount", "reference"),
    MailType.CARD_EXPIRING: ("customer", "organization", "card", "valid_until"),
    MailType.PAYOUT_SENT: ("customer", "organization", "amount", "number"),
    MailType.BALANCE_LOW: ("customer", "organization"),
    MailType.ALERT: ("customer", "organization", "alert", "value", "threshold"),
}


def test_address(known: Circumstances) -> Address:
    """Where a message goes by which somebody sees whether messages arrive."""
    return Address(_phone(known), TEST_TEMPLATE, TEST_LANGUAGE, ())


def address_of(occasion: Occasion, known: Circumstances, notice: Notice) -> Address:
    """Where a notice goes, and in which words; without a phone where the customer has none."""
    organization, customer = known.organization, known.customer
    locale = "" if customer is None else customer.locale
    spoken = language_of(locale, organization.mails.default_locale, country=organization.country)
    chosen = language_among(notice.languages, spoken.tag)
    language = language_of(chosen.replace("_", "-"), country=organization.country)
    values = _values(occasion, known, language)
    parameters = tuple(values[name] or NOTHING for name in PARAMETERS[occasion.type])
    return Address(_phone(known), notice.template, chosen, parameters)


def held_back(occasion: Occasion, known: Circumstances, notice: Notice) -> str:
    """Why a notice does not go by WhatsApp any more; empty where it does."""
    why = undone(occasion, known)
    if why is not None:
        return why.value
    return "" if notice.enabled else Fault.SWITCHED_OFF.value


def unreachable(
    message: Message, known: Circumstances, address: Address, now: datetime, *, is_out: bool
) -> str:
    """Why a message does not reach its customer; empty where nothing is known against it."""
    if known.customer is None:
        return Fault.CUSTOMER_DELETED.value
    if now - message.created_at > SENT_WITHIN:
        return Fault.EXPIRED.value
    if not address.phone:
        return Fault.NO_PHONE.value
    return Fault.OPTED_OUT.value if is_out else ""


def _phone(known: Circumstances) -> str:
    customer = known.customer
    return "" if customer is None else phone_of(customer.phone, known.organization.country)


def _values(occasion: Occasion, known: Circumstances, language: Language) -> dict[str, str]:
    document, card, reached = known.document, occasion.card, occasion.reached
    amount = None if occasion.amount is None else Money(occasion.amount, occasion.currency)
    due = amount if document is None else document.due
    due_date = occasion.due_date if document is None else document.due_date
    shown_card = "" if card is None else f"{card.brand} •••• {card.last4}".strip()
    return {
        "customer": "" if known.customer is None else shown_name(known.customer.name),
        "organization": shown_name(known.organization.name),
        "number": number_of(occasion, known),
        "amount": "" if amount is None else language.amount(amount),
        "due": "" if due is None else language.amount(due),
        "due_date": _day(due_date, known, language),
        "reference": occasion.reference,
        "card": shown_name(shown_card),
        "valid_until": "" if card is None else language.month(card.year, card.month),
        "alert": "" if reached is None else shown_name(reached.label),
        "value": _measured(occasion, reached and reached.value, language),
        "threshold": _measured(occasion, reached and reached.threshold, language),
    }


def _measured(occasion: Occasion, value: Decimal | None, language: Language) -> str:
    if occasion.reached is None or value is None:
        return ""
    return measured(occasion.reached, value, occasion.currency, language)


def _day(instant: datetime | None, known: Circumstances, language: Language) -> str:
    return "" if instant is None else language.date(instant, known.zone)
