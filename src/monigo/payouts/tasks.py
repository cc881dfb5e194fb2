"""The due work of payouts."""

from monigo.infra.agenda import Slices, Task
from monigo.payouts.service import PAY_OUT, pay_out

# Each has legs, a transfer and an entry; few enough that no request waits long for a bill.
PAID_OUT_AT_ONCE = 200

TASKS: tuple[Task, ...] = (Task(PAY_OUT, Slices(pay_out, PAID_OUT_AT_ONCE)),)
