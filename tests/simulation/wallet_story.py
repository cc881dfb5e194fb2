"""What happens to a few wallets one after the other; each answer is known before it is given."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from simulation.wallet_book import CONFLICT, INVALID, Held, WalletBook
from support.api import Api

WALLETS = 3
KEYS = 60
AMOUNTS = ("0.000001", "1", "12.5", "99.999999", "1000", "250.25")
BAD_AMOUNTS: tuple[Any, ...] = (
    *("0", "-1", "0.0000001", "NaN", "Infinity", "", " 1", "1e3", "1,5", "0x1"),
    *(None, True, 0, -2.5, [], "9" * 40),
)


class WalletStory:
    """A merchant's wallets in test mode, whose time stands still in between."""

    def __init__(self, backend, dice: random.Random, tally: Counter) -> None:
        self.api = Api.of_new_organization(backend)
        self.tally = tally
        self.now = datetime(2027, 1, 1, tzinfo=UTC)
        self.steps: list[str] = []
        self.advance(timedelta())
        self.books = [self.open(f"c{place}", dice) for place in range(WALLETS)]

    def open(self, customer: str, dice: random.Random) -> WalletBook:
        self.api.customer(customer)
        currency = dice.choice(("NGN", "USD"))
        return WalletBook(self.api.wallet(customer, currency)["id"], currency)

    def act(self, dice: random.Random) -> None:
        """Do something at random, and hold all balances against the books."""
        operations = {
            self.credit: 28,
            self.debit: 22,
            self.repeat: 8,
            self.contradict: 5,
            self.send_nonsense: 5,
            self.reserve: 12,
            self.capture: 12,
            self.release: 5,
            self.wait: 4,
            self.change_status: 2,
        }
        chosen = dice.choices(list(operations), weights=list(operations.values()))[0]
        self.steps.append(chosen.__name__)
        chosen(dice.choice(self.books), dice)
        self.check()

    def request(self, path: str, body: Any, wanted: int, method: str = "POST") -> Any:
        """One request that must be answered as the auditor says."""
        response = self.api.http.request(method, path, json=body)
        told = 200 if response.is_success else response.status_code
        assert told == wanted, (
            f"{path} {body}: {response.status_code}, not {wanted}: {response.text}"
        )
        self.tally[self.steps[-1], "accepted" if response.is_success else "refused"] += 1
        return response.json()

    def credit(self, book: WalletBook, dice: random.Random) -> None:
        """Money comes in."""
        self.move(book, dice, "credit", dice.choice(AMOUNTS), -1)

    def debit(self, book: WalletBook, dice: random.Random) -> None:
        """Money goes out; often all that is there, or a little more."""
        amount = dice.choice(AMOUNTS)
        if book.balance and dice.random() < 0.5:
            step = dice.choice(("0", "0", "0.000001", "-0.000001"))
            amount = str(max(book.balance + Decimal(step), Decimal("0.000001")))
        self.move(book, dice, "debit", amount, 1)

    def move(
        self, book: WalletBook, dice: random.Random, direction: str, amount: str, sign: int
    ) -> None:
        types = {"credit": ("deposit", "refund", "adjustment"), "debit": ("usage", "withdrawal")}
        is_odd = dice.random() < 0.04
        body = {
            "amount": amount,
            "currency": "KES" if is_odd else book.currency,
            "entry_type": dice.choice(types[direction]),
            "idempotency_key": f"key-{dice.randrange(KEYS)}-{len(self.steps) // 20}",
        }
        self.send(book, f"/v1/wallets/{book.id}/{direction}", body, sign * Decimal(amount))

    def send(self, book: WalletBook, path: str, body: dict[str, Any], takes: Decimal) -> Any:
        """A request with a key of its own, and what it takes of the balance."""
        key, content = body["idempotency_key"], (path, {**body, "amount": Decimal(body["amount"])})
        wanted = book.answer_to(key, content, body["currency"], takes)
        is_repeat = book.is_repeat(key, content)
        answer = self.request(path, body, wanted)
        if is_repeat:
            assert answer == book.answers[key][1]
        elif wanted == 200:
            book.answers[key] = content, answer
            book.balance -= takes
        return None if is_repeat or wanted != 200 else answer

    def repeat(self, book: WalletBook, dice: random.Random) -> None:
        """What was done is asked for again, and answered as it was then."""
        if book.answers:
            (path, body), answer = dice.choice(list(book.answers.values()))
            again = self.request(path, {**body, "amount": str(body["amount"])}, 200)
            assert again == answer, (again, answer)

    def contradict(self, book: WalletBook, dice: random.Random) -> None:
        """A key that was used is used for something else."""
        if book.answers:
            (path, body), _ = dice.choice(list(book.answers.values()))
            other = {**body, "amount": str(body["amount"] + 1)}
            self.request(path, other, CONFLICT)
            # What was refused counts no less than what was accepted.
            self.request(path, {**body, "amount": str(body["amount"])}, 200)

    def send_nonsense(self, book: WalletBook, dice: random.Random) -> None:
        """No amount is no amount; the one beside it is."""
        body = {
            "amount": dice.choice(BAD_AMOUNTS),
            "currency": book.currency,
            "entry_type": "deposit",
            "idempotency_key": f"nonsense-{len(self.steps)}",
        }
        path = f"/v1/wallets/{book.id}/{dice.choice(('credit', 'debit'))}"
        self.request(path, body, INVALID)
        takes = Decimal(-1)
        self.send(book, f"/v1/wallets/{book.id}/credit", {**body, "amount": "1"}, takes)

    def reserve(self, book: WalletBook, dice: random.Random) -> None:
        """Part of the balance is held; often all of it."""
        amount = dice.choice(AMOUNTS)
        if book.balance and dice.random() < 0.4:
            amount = str(book.balance)
        seconds = dice.choice((60, 86_400, 2_000_000))
        body = {
            "amount": amount,
            "currency": book.currency,
            "idempotency_key": f"key-{dice.randrange(KEYS)}-{len(self.steps) // 20}",
            "expires_in_seconds": seconds,
        }
        path = f"/v1/wallets/{book.id}/reservations"
        answer = self.send(book, path, body, Decimal(amount))
        if answer is not None:
            known_id, until = answer["reservation"]["id"], self.now + timedelta(seconds=seconds)
            book.held[known_id] = Held(known_id, Decimal(amount), until)

    def some_held(self, book: WalletBook, dice: random.Random) -> Held | None:
        """A reservation, mostly an open one."""
        opened = [one for one in book.held.values() if one.status == "open"]
        known = opened if opened and dice.random() < 0.8 else list(book.held.values())
        return dice.choice(known) if known else None

    def capture(self, book: WalletBook, dice: random.Random) -> None:
        """What is held is spent, or a part of it; more than it is refused."""
        held = self.some_held(book, dice)
        if held is None:
            return
        amount = dice.choice((held.amount, held.amount, *map(Decimal, AMOUNTS)))
        wanted = book.answer_to_capture(held, amount)
        path = f"/v1/wallets/{book.id}/reservations/{held.id}/capture"
        self.request(path, {"amount": str(amount)}, wanted)
        if wanted == 200:
            book.settle(held, amount, "captured")

    def release(self, book: WalletBook, dice: random.Random) -> None:
        """What is held is given up, whatever the wallet's status."""
        held = self.some_held(book, dice)
        if held is not None:
            wanted = 200 if held.status == "open" else CONFLICT
            path = f"/v1/wallets/{book.id}/reservations/{held.id}/release"
            self.request(path, None, wanted)
            if wanted == 200:
                book.settle(held, Decimal(0), "released")

    def wait(self, _book: WalletBook, dice: random.Random) -> None:
        """Time passes, often up to the end of a reservation or just short of it."""
        ends = [one.expires for book in self.books for one in book.held.values()]
        step = timedelta(seconds=dice.choice((1, 50, 3_000, 90_000)))
        later = [end for end in ends if end > self.now + timedelta(seconds=1)]
        if later and dice.random() < 0.6:
            step = min(later) - self.now - dice.choice((0, 1)) * timedelta(microseconds=1)
        self.advance(step)

    def advance(self, step: timedelta) -> None:
        self.now += step
        text = self.now.isoformat().replace("+00:00", "Z")
        answer = self.api.post("/v1/test-clock/advance", json={"to": text})
        assert answer.status_code == 200, answer.text
        for book in getattr(self, "books", ()):
            book.pass_to(self.now)

    def change_status(self, book: WalletBook, dice: random.Random) -> None:
        """A wallet is suspended and mostly active again soon."""
        wanted = "active" if book.status == "suspended" else "suspended"
        self.request(f"/v1/wallets/{book.id}", {"status": wanted}, 200, "PATCH")
        book.status = wanted
        if wanted == "suspended" and dice.random() < 0.7:
            self.change_status(book, dice)

    def check(self) -> None:
        """Each wallet has what its book says."""
        told = self.api.get("/v1/wallets").json()["wallets"]
        found = {
            each["id"]: (
                Decimal(each["balance"]),
                Decimal(each["reserved_balance"]),
                each["status"],
            )
            for each in told
        }
        known = {book.id: (book.balance, book.reserved, book.status) for book in self.books}
        assert found == known
