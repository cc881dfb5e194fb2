"""What the next answers are to be: faults that a test or a person asks for beforehand."""

from collections import deque
from collections.abc import Iterable

from msgspec import Struct

PROVIDERS = ("paystack", "flutterwave", "monnify", "whatsapp")
# Of webhooks; the others are of answers.
OF_WEBHOOKS = frozenset({"lost", "duplicate", "late", "reordered", "early", "bad_signature"})
OF_ANSWERS = frozenset(
    {
        *("success", "failed", "pending", "needs_action", "wrong_amount", "reversed_later"),
        *("drop_after_commit", "drop_before", "not_found", "duplicate_reference"),
        *("500", "429", "200_error", "not_json"),
        # Refusals of WhatsApp's, by Meta's codes.
        *("190", "130429", "131000", "131026", "131042", "131049", "131056", "132001"),
    }
)
WEBHOOK = "webhook"
VERBS = frozenset(
    {
        *("charge", "checkout", "disable_checkout", "refund", "transfer", "bulk", "authorize"),
        *("resend_otp", "virtual_account", "close_virtual_account", "forget_method", "resolve"),
        *("banks", "balance", "lookup", "list_charges", "list_deposits", "list_refunds"),
        *("list_transfers", "recipients", "customer", "login", "message", "number", WEBHOOK),
    }
)
# Nobody scripts more, and what was forgotten must not fill the memory.
SCRIPTED_MAX = 10_000


class Scripted(Struct):
    """An outcome for the next `times` answers, after a delay."""

    outcome: str
    times: int = 1
    delay_ms: int = 0


class Script:
    """Scripted outcomes by provider and verb, first come, first served."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], deque[Scripted]] = {}

    def add(self, provider: str, verb: str, scripted: Scripted) -> None:
        """Script the next answers."""
        queue = self._waiting.setdefault((provider, verb), deque(maxlen=SCRIPTED_MAX))
        queue.append(scripted)

    def take(self, provider: str, verbs: Iterable[str]) -> Scripted | None:
        """What is scripted for this answer, by the first of its verbs that has anything."""
        for verb in verbs:
            queue = self._waiting.get((provider, verb))
            if queue:
                scripted = queue[0]
                scripted.times -= 1
                if scripted.times <= 0:
                    queue.popleft()
                return scripted
        return None

    def clear(self) -> None:
        """Script nothing any more."""
        self._waiting.clear()
