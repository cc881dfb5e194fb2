"""Pure rules of signing in: how often somebody may try."""

from datetime import datetime, timedelta

from msgspec import Struct

WINDOW = timedelta(minutes=15)
DAY = timedelta(days=1)
# In the window: of an e-mail from one address, and of whatever e-mails from one address.
PER_EMAIL_AND_ADDRESS_MAX = 5
PER_ADDRESS_MAX = 20
# A day, of an e-mail from everywhere: then only addresses may try from which it went well before.
PER_EMAIL_MAX = 50
# For how long an address counts as one from which it went well.
TRUSTED_FOR = timedelta(days=90)


class Failures(Struct, frozen=True):
    """How often it failed of late, and when for the first time; `is_trusted`: it once went well."""

    of_email_and_address: int
    first_of_email_and_address: datetime | None
    of_address: int
    first_of_address: datetime | None
    of_email: int
    first_of_email: datetime | None
    is_trusted: bool


def blocked_until(failures: Failures) -> datetime | None:
    """When somebody may try again; None where they may at once."""
    ends = list[datetime]()
    if failures.of_email_and_address >= PER_EMAIL_AND_ADDRESS_MAX:
        ends += [at + WINDOW for at in (failures.first_of_email_and_address,) if at]
    if failures.of_address >= PER_ADDRESS_MAX:
        ends += [at + WINDOW for at in (failures.first_of_address,) if at]
    if failures.of_email >= PER_EMAIL_MAX and not failures.is_trusted:
        ends += [at + DAY for at in (failures.first_of_email,) if at]
    return max(ends, default=None)
