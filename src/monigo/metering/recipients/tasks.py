"""The due work of payout rules: recipients who are customers by now get what waited for them."""

from monigo.infra.agenda import Slices, Task
from monigo.metering.recipients.service import RECIPIENT_KNOWN, attribute_waiting

# Few at once, because folding waits for a slice.
CUSTOMERS_AT_ONCE = 50

ATTRIBUTE = Task(RECIPIENT_KNOWN, Slices(attribute_waiting, CUSTOMERS_AT_ONCE), concurrency=1)
