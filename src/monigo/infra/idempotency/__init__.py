"""Requests that carry an Idempotency-Key: each is done once, and a repeat is answered alike.

Two modes, of which a route has one. `atomic`: the request is one transaction; a lock keeps repeats
out while it runs, and the answer commits with the effect. `staged`: the request calls the world
outside between its transactions; a row is claimed together with the intent, so that a repeat knows
of it whatever became of the process, and takes it over where its holder is gone.
"""

from monigo.infra.idempotency import atomic, staged
from monigo.infra.idempotency.requests import (
    FORGET,
    KEPT_FOR,
    Answer,
    RequestIdentity,
    forget,
    is_kept,
)
from monigo.infra.idempotency.staged import Claim

__all__ = [
    "FORGET",
    "KEPT_FOR",
    "Answer",
    "Claim",
    "RequestIdentity",
    "atomic",
    "forget",
    "is_kept",
    "staged",
]
