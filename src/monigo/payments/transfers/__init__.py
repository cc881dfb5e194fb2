"""Transfers: legs of bills are paid out, each once, whatever fails on the way."""

from monigo.payments.transfers import events
from monigo.payments.transfers.asking import authorize, expect_password, resend_otp, submit
from monigo.payments.transfers.outcomes import apply_fact
from monigo.payments.transfers.service import (
    create,
    get_transfer,
    get_transfers,
    is_in_flight,
    lock_of_legs,
    refuse_connection_in_use,
    resolve,
    stop_unsent,
)
from monigo.payments.transfers.tasks import ask_task, submit_task
from monigo.payments.transfers.types import (
    Destination,
    NewTransfer,
    OwnCode,
    Refusal,
    Resolution,
    Transfer,
    TransferState,
    TransferSubmission,
)

__all__ = [
    "Destination",
    "NewTransfer",
    "OwnCode",
    "Refusal",
    "Resolution",
    "Transfer",
    "TransferState",
    "TransferSubmission",
    "apply_fact",
    "ask_task",
    "authorize",
    "create",
    "events",
    "expect_password",
    "get_transfer",
    "get_transfers",
    "is_in_flight",
    "lock_of_legs",
    "refuse_connection_in_use",
    "resend_otp",
    "resolve",
    "stop_unsent",
    "submit",
    "submit_task",
]
