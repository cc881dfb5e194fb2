"""The due work of collection."""

from monigo.collection.due import COLLECT, LIFT, NEW_METHOD
from monigo.collection.service import collect, lift_suspensions, try_new_methods
from monigo.infra.agenda import Slices, Task

# Each pull's intent is a row and an entry; few enough that no request waits long for an invoice.
COLLECTED_AT_ONCE = 200

# Of what is due at one instant a test clock does the work in this order.
TASKS: tuple[Task, ...] = (
    Task(NEW_METHOD, Slices(try_new_methods)),
    Task(COLLECT, Slices(collect, COLLECTED_AT_ONCE)),
    Task(LIFT, Slices(lift_suspensions)),
)
