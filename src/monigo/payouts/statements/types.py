"""What statements of payees say."""

from decimal import Decimal

from msgspec import Struct

from monigo.core.ids import CustomerId


class WithheldTax(Struct, frozen=True):
    """What was withheld of a payee's bills that became final in a year, and of how much."""

    customer_id: CustomerId
    customer_name: str
    currency: str
    bills: int
    subtotal: Decimal
    withheld: Decimal
    paid: Decimal
