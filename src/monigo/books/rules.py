"""Pure rules of the books: what happened, as transfers from account to account.

Amounts are those of the subject's currency and not negative. What an account gives makes its
balance go down: what a customer owes stands as a receivable below zero.
"""

from decimal import Decimal

from monigo.books.types import Booking, Leg, Subject
from monigo.core.errors import ensure
from monigo.core.money import EXACT, ROUNDING, round_to_minor_unit
from monigo.ledger import AccountKind, EntryType

_NOTHING = Decimal(0)


def vat_share(part: Decimal, *, total: Decimal, vat: Decimal, currency: str) -> Decimal:
    """The VAT in a part of a total, rounded half away from zero to what can be paid."""
    if not vat or not part:
        return _NOTHING
    if part == total:
        return vat
    exact = ROUNDING.divide(ROUNDING.multiply(part, vat), total)
    return round_to_minor_unit(exact, currency)


def invoice_finalized(
    subject: Subject, *, total: Decimal, vat: Decimal, paid: Decimal = _NOTHING
) -> Booking:
    """An invoice became final, of which wallet and credits had paid a part.

    That part is revenue already, and its VAT is taken out of it.
    """
    due = EXACT.subtract(total, paid)
    of_paid = vat_share(paid, total=total, vat=vat, currency=subject.currency)
    of_due = EXACT.subtract(vat, of_paid)
    return _booking(
        subject,
        EntryType.INVOICE,
        (AccountKind.RECEIVABLE, AccountKind.REVENUE, EXACT.subtract(due, of_due)),
        (AccountKind.RECEIVABLE, AccountKind.TAX_PAYABLE, of_due),
        (AccountKind.REVENUE, AccountKind.TAX_PAYABLE, of_paid),
    )


def payment_received(subject: Subject, amount: Decimal, *, reference: str) -> Booking:
    """A customer paid what was due of an invoice at a provider, under a charge's reference.

    What is beyond that goes to the customer's wallet, by a movement of the wallet's own.
    """
    return _payment(subject, AccountKind.PROVIDER, amount, reference)


def received_elsewhere(subject: Subject, amount: Decimal, *, reference: str) -> Booking:
    """A merchant marked an invoice as paid, under a reference of its own."""
    return _payment(subject, AccountKind.EXTERNAL, amount, reference)


def provider_fee(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A provider kept a fee that the merchant bears."""
    leg = (AccountKind.PROVIDER_FEES, AccountKind.PROVIDER, amount)
    return _booking(subject, EntryType.PROVIDER_FEE, leg, counterparty=provider)


def provider_fee_returned(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A provider returned what it had kept of a transfer, as that came back."""
    leg = (AccountKind.PROVIDER, AccountKind.PROVIDER_FEES, amount)
    return _booking(subject, EntryType.PROVIDER_FEE, leg, counterparty=provider)


def charge_refunded(
    subject: Subject,
    amount: Decimal,
    *,
    refunded_before: Decimal,
    total: Decimal,
    vat: Decimal,
    provider: str,
) -> Booking:
    """A provider sent money of an invoice back, of which so much had been refunded before.

    The invoice has this total and VAT. The VAT of all refunds together is rounded, so that parts
    come to the same as the whole.
    """
    reversed_vat = _vat_of_refund(subject, amount, refunded_before, total=total, vat=vat)
    return _booking(
        subject,
        EntryType.CHARGE_REFUND,
        (AccountKind.REVENUE, AccountKind.PROVIDER, EXACT.subtract(amount, reversed_vat)),
        (AccountKind.TAX_PAYABLE, AccountKind.PROVIDER, reversed_vat),
        counterparty=provider,
    )


def refunded_to_wallet(
    subject: Subject, amount: Decimal, *, refunded_before: Decimal, total: Decimal, vat: Decimal
) -> Booking:
    """Wallet and credits got back what they had paid of an invoice, out of revenue.

    That is their movement's; here its VAT goes there. Otherwise as `charge_refunded`.
    """
    reversed_vat = _vat_of_refund(subject, amount, refunded_before, total=total, vat=vat)
    leg = (AccountKind.TAX_PAYABLE, AccountKind.REVENUE, reversed_vat)
    return _booking(subject, EntryType.CHARGE_REFUND, leg)


def _vat_of_refund(
    subject: Subject, amount: Decimal, refunded_before: Decimal, *, total: Decimal, vat: Decimal
) -> Decimal:
    refunded = EXACT.add(refunded_before, amount)
    ensure(refunded <= total, "no more is refunded than the invoice's total")
    return EXACT.subtract(
        vat_share(refunded, total=total, vat=vat, currency=subject.currency),
        vat_share(refunded_before, total=total, vat=vat, currency=subject.currency),
    )


def invoice_voided(
    subject: Subject,
    *,
    total: Decimal,
    vat: Decimal,
    due: Decimal,
    refunded: Decimal = _NOTHING,
) -> Booking:
    """An invoice was voided of which so much is open; what was refunded gave up its VAT before.

    What was paid goes back out of revenue, by movements of the wallet; here its VAT goes there.
    """
    left = EXACT.subtract(vat, vat_share(refunded, total=total, vat=vat, currency=subject.currency))
    of_due = min(left, due)
    return _booking(
        subject,
        EntryType.VOID,
        (AccountKind.TAX_PAYABLE, AccountKind.RECEIVABLE, of_due),
        (AccountKind.REVENUE, AccountKind.RECEIVABLE, EXACT.subtract(due, of_due)),
        (AccountKind.TAX_PAYABLE, AccountKind.REVENUE, EXACT.subtract(left, of_due)),
    )


def payment_taken_back(subject: Subject, amount: Decimal) -> Booking:
    """What had been paid of an invoice went back out of revenue, and is due again."""
    leg = (AccountKind.RECEIVABLE, AccountKind.REVENUE, amount)
    return _booking(subject, EntryType.REOPENING, leg)


def written_off(subject: Subject, due: Decimal) -> Booking:
    """What is due of an invoice is uncollectible. Its VAT stays due."""
    leg = (AccountKind.BAD_DEBT, AccountKind.RECEIVABLE, due)
    return _booking(subject, EntryType.WRITE_OFF, leg)


def recovered(subject: Subject, amount: Decimal) -> Booking:
    """What had been written off is to be had after all: before its payment, or before a void."""
    leg = (AccountKind.RECEIVABLE, AccountKind.BAD_DEBT, amount)
    return _booking(subject, EntryType.RECOVERY, leg)


def lost(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A provider took money back: a dispute was lost, or a charge reversed."""
    leg = (AccountKind.DISPUTE_LOSSES, AccountKind.PROVIDER, amount)
    return _booking(subject, EntryType.LOSS, leg, counterparty=provider)


def bill_finalized(subject: Subject, *, net: Decimal, withheld: Decimal) -> Booking:
    """A bill became final: what the payee gets, and the tax that is withheld of it."""
    return _booking(
        subject,
        EntryType.BILL,
        (AccountKind.PAYOUT_EXPENSE, AccountKind.PAYABLE, net),
        (AccountKind.PAYOUT_EXPENSE, AccountKind.WITHHOLDING_PAYABLE, withheld),
    )


def bill_voided(subject: Subject, *, net: Decimal, withheld: Decimal) -> Booking:
    """A bill was voided of which nothing was paid out."""
    return _booking(
        subject,
        EntryType.VOID,
        (AccountKind.PAYABLE, AccountKind.PAYOUT_EXPENSE, net),
        (AccountKind.WITHHOLDING_PAYABLE, AccountKind.PAYOUT_EXPENSE, withheld),
    )


def transfer_submitted(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A transfer to a payee is on its way."""
    leg = (AccountKind.PAYABLE, AccountKind.PAYOUTS_IN_FLIGHT, amount)
    return _booking(subject, EntryType.PAYOUT, leg, counterparty=provider)


def transfer_succeeded(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A transfer arrived: the provider has paid it."""
    leg = (AccountKind.PAYOUTS_IN_FLIGHT, AccountKind.PROVIDER, amount)
    return _booking(subject, EntryType.PAYOUT, leg, counterparty=provider)


def transfer_failed(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A transfer failed: the amount is owed as before."""
    leg = (AccountKind.PAYOUTS_IN_FLIGHT, AccountKind.PAYABLE, amount)
    return _booking(subject, EntryType.PAYOUT_RETURN, leg, counterparty=provider)


def transfer_reversed(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A transfer that had arrived came back to the provider: the amount is owed again."""
    leg = (AccountKind.PROVIDER, AccountKind.PAYABLE, amount)
    return _booking(subject, EntryType.PAYOUT_RETURN, leg, counterparty=provider)


def paid_twice(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A transfer arrived for what was not owed any more: the payee owes it."""
    leg = (AccountKind.RECEIVABLE, AccountKind.PROVIDER, amount)
    return _booking(subject, EntryType.PAYOUT, leg, counterparty=provider)


def paid_twice_returned(subject: Subject, amount: Decimal, *, provider: str) -> Booking:
    """A payee returned what had not been owed, or it turned out to have been owed."""
    leg = (AccountKind.PROVIDER, AccountKind.RECEIVABLE, amount)
    return _booking(subject, EntryType.PAYOUT_RETURN, leg, counterparty=provider)


def _payment(subject: Subject, source: AccountKind, amount: Decimal, counterparty: str) -> Booking:
    leg = (source, AccountKind.RECEIVABLE, amount)
    return _booking(subject, EntryType.PAYMENT, leg, counterparty=counterparty)


def _booking(
    subject: Subject,
    entry_type: EntryType,
    *legs: tuple[AccountKind, AccountKind, Decimal],
    counterparty: str = "",
) -> Booking:
    for _, _, amount in legs:
        ensure(amount >= 0, "what is booked is not negative")
    made = tuple(Leg(*leg) for leg in legs if leg[2])
    return Booking(subject, entry_type, made, counterparty)
