"""Collection: what customers owe becomes money, or it is noted why not."""

from monigo.collection import events, funding
from monigo.collection.guards import (
    outdated_charges,
    refuse_in_flight,
    refuse_refund_in_flight,
)
from monigo.collection.initiating import (
    Refunded,
    WantedLink,
    WantedRefund,
    get_transaction,
    initiate_payment,
    list_transactions,
    pay_by_method,
    pay_from_wallet,
    refund,
    retry,
    set_up_method,
)
from monigo.collection.means import (
    RETRY_WAITING,
    note_activated,
    note_connections,
    note_emails,
)
from monigo.collection.service import begin_collecting, forget_settled
from monigo.collection.settling import (
    note_failed_refunds,
    note_failures,
    note_lost_disputes,
    note_needed_actions,
    note_new_methods,
    note_refunds,
    note_reversals,
    post_refunds,
    take_payments,
)
from monigo.collection.tasks import TASKS
from monigo.collection.waiting import await_outcomes, await_task

__all__ = [
    "RETRY_WAITING",
    "TASKS",
    "Refunded",
    "WantedLink",
    "WantedRefund",
    "await_outcomes",
    "await_task",
    "begin_collecting",
    "events",
    "forget_settled",
    "funding",
    "get_transaction",
    "initiate_payment",
    "list_transactions",
    "note_activated",
    "note_connections",
    "note_emails",
    "note_failed_refunds",
    "note_failures",
    "note_lost_disputes",
    "note_needed_actions",
    "note_new_methods",
    "note_refunds",
    "note_reversals",
    "outdated_charges",
    "pay_by_method",
    "pay_from_wallet",
    "post_refunds",
    "refund",
    "refuse_in_flight",
    "refuse_refund_in_flight",
    "retry",
    "set_up_method",
    "take_payments",
]
