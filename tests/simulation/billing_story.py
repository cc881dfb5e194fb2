"""A story of one organisation's test mode: what is asked, what the auditor expects, and when."""

import random
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from monigo.bootstrap import CLOCK_TASKS
from simulation.billing_books import Books
from simulation.billing_retention import summed_since
from simulation.billing_subscriptions import Sub
from simulation.billing_time import Biller
from simulation.billing_wire import HOUR, METRICS, ZONES, at, rule_of, told
from support.agenda import do
from support.api import Api

CUSTOMERS = 4
# A clock that has stood still for so long on its way never arrives, however busy the machine is.
ADVANCE_SECONDS_MAX = 180
# What one round of the workers may bring about is done by the next.
ROUNDS = 3


class Story:
    """An organisation, its customers and metrics, and the books that are kept of it."""

    def __init__(self, backend, dice: random.Random, tally: Counter) -> None:
        self.api = Api.of_new_organization(backend)
        self.backend = backend
        self.dice = dice
        self.tally = tally
        self.steps: list[str] = []
        grace = dice.choice((0, 0, 0, 1, 30, 72))
        self.books = Books(grace * HOUR)
        self.biller = Biller(self.books)
        self.zone = dice.choice(ZONES)
        settings = {"event_ingestion_grace_period_hours": grace, "timezone": self.zone}
        self.ask("patch", "/v1/organization", settings)
        self.now = datetime(2027, 1, 1, tzinfo=UTC)
        self.ask("post", "/v1/test-clock/advance", {"to": told(self.now)})
        self.customers = [self.api.customer(f"c{place}")["id"] for place in range(CUSTOMERS)]
        self.metrics = {kind: self.api.metric(**body)["id"] for kind, body in METRICS.items()}
        for kind, body in METRICS.items():
            self.books.rules[self.metrics[kind]] = rule_of(body)
            self.books.summed_from[self.metrics[kind]] = summed_since(self.now)
        self.events = 0
        self.keys = 0
        # Whether old events are to lose their properties.
        self.is_forgetful = dice.random() < 0.4

    # What is asked for.

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One request that must succeed."""
        response = self.api.http.request(method.upper(), path, json=body)
        assert response.is_success, f"{method} {path} {body}: {response.text}"
        return response.json()

    def request(self, method: str, path: str, body: Any = None, *, wanted: int = 200) -> Any:
        """One request that must be answered as the auditor says; None where it is refused."""
        response = self.api.http.request(method.upper(), path, json=body)
        told_status = 200 if response.is_success else response.status_code
        self.note(f"{method} {path} {body}")
        assert told_status == wanted, (
            f"{method} {path} {body} was answered {response.status_code}, not {wanted}:"
            f" {response.text}"
        )
        self.tally[self.kind, "accepted" if response.is_success else "refused"] += 1
        return response.json() if response.is_success else None

    def note(self, what: str) -> None:
        """What happens, for whoever reads a failure."""
        self.steps[-1] += f"\n    {told(self.now)} {what}"

    @property
    def kind(self) -> str:
        """What kind of step is under way."""
        return self.steps[-1].split("\n", maxsplit=1)[0]

    # Time.

    def advance_to(self, to: datetime) -> None:
        """Let the clock go to an instant, and the books with it."""
        self.note(f"advance to {told(to)}")
        self.biller.advance(self.now, to)
        response = self.ask("post", "/v1/test-clock/advance", {"to": told(to)})
        deadline = time.monotonic() + ADVANCE_SECONDS_MAX
        while response["status"] == "advancing" and time.monotonic() < deadline:
            time.sleep(0.1)
            before, response = response, self.ask("get", "/v1/test-clock")
            if response["now"] != before["now"]:
                deadline = time.monotonic() + ADVANCE_SECONDS_MAX
        assert (response["status"], at(response["now"])) == ("ready", to), response
        self.now = to
        self.books.keep(to)

    def work(self) -> None:
        """Let the workers do what is due now, and the books with them."""
        for _ in range(ROUNDS):
            do(self.api, *CLOCK_TASKS)
        self.biller.settle(self.now)

    # Whom it may happen to.

    def running(self) -> list[Sub]:
        return [sub for sub in self.books.subs.values() if sub.status != "canceled"]

    def some_sub(self, dice: random.Random, *, ended: float = 0.1) -> Sub | None:
        """A subscription; now and then one that has ended."""
        known = self.running()
        if dice.random() < ended or not known:
            known = [sub for sub in self.books.subs.values() if not sub.deleted]
        return dice.choice(known) if known else None

    def key(self) -> str:
        """A key that nobody has used."""
        self.keys += 1
        return f"key-{self.keys}"
