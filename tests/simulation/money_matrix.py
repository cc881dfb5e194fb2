"""Each call to a provider with each fault, and with the death of its process at each moment."""

from itertools import product

from msgspec import Struct

from simulation.money_story import Story
from support.cuts import CUTS
from support.payments import PROVIDERS

CALLS = ("charge", "top_up", "checkout", "fund", "refund", "virtual_account")
FAULTS = (
    *("success", "failed", "pending", "needs_action", "wrong_amount", "reversed_later"),
    *("drop_after_commit", "drop_before", "not_found", "duplicate_reference"),
    *("500", "200_error"),
)
POSTS = ("lost", "once", "duplicate", "late", "reordered", "early")
# What a call is scripted by, where that is not its own name.
VERBS = {"top_up": "charge", "fund": "checkout"}
# Of seventeen cells the suite tries one: no step of any of the tables has this length.
STRIDE = 17


class Cell(Struct, frozen=True):
    """One call, and what goes wrong with it."""

    provider: str
    call: str
    fault: str
    cut: str
    post: str

    @property
    def verb(self):
        return VERBS.get(self.call, self.call)


def cells(provider, *, are_all):
    """The cells of a provider: all of them, or a part in which each fault and moment occurs."""
    table = product(CALLS, FAULTS, ("", *CUTS))
    made = [
        Cell(provider, call, fault, cut, POSTS[place % len(POSTS)])
        for place, (call, fault, cut) in enumerate(table)
    ]
    first = PROVIDERS.index(provider)
    return made if are_all else made[first::STRIDE]


class Matrix(Story):
    """A merchant with a customer for each cell's call, whose calls go wrong as the cells say."""

    def __init__(self, backend, dice, provider):
        super().__init__(backend, dice, people=1)
        self.provider = provider
        self.saver = self.people[0]
        self.save_card(self.saver)
        self.paid = 0

    def save_card(self, person):
        """A customer saves a card at the provider."""
        path = f"/v1/customers/{person.id}/payment-methods/setup"
        made = self.request(path, {"provider": self.provider})
        self.pay(self.provider, made["reference"])
        self.mailbox.deliver(self.mailbox.waiting.pop())
        self.work()

    def guest(self):
        """A customer without a card."""
        self.people.append(self.join(f"person-{len(self.people)}"))
        return self.people[-1]

    def run(self, cell):
        """Have a cell's call go wrong, and the process come to life again."""
        self.steps.append(str(cell))
        prepared = getattr(self, f"_prepare_{cell.call}")()
        if cell.post == "early":
            self.mailbox.early = 1
        self.simulated.next(self.provider, cell.verb, cell.fault)
        if cell.cut:
            self.cutter.at(cell.cut, cell.verb)
        prepared()
        self.cutter.disarm()
        self.work()
        self.cutter.release()
        self.mailbox.early = 0
        for provider, reference in self.links:
            self.pay(provider, reference)
        self.links.clear()
        self.deliver_as(cell.post)
        self.work()
        self.clear_scripts()

    def _prepare_charge(self):
        self.owe(self.saver, 2)
        return self.work

    def _prepare_top_up(self):
        person = self.guest()
        self.save_card(person)
        body = {"threshold": "500", "amount": "1000"}
        path = f"/v1/wallets/{person.wallet_id}/auto-top-up"
        assert self.send("PUT", path, body).is_success
        return self.work

    def _prepare_checkout(self):
        invoice = self.owe(self.guest(), 3)
        path = f"/v1/invoices/{invoice['id']}/initiate-payment"
        return lambda: self.request(path, {"provider": self.provider})

    def _prepare_fund(self):
        path = f"/v1/wallets/{self.guest().wallet_id}/fund"
        return lambda: self.request(path, {"provider": self.provider, "amount": "700"})

    def _prepare_refund(self):
        person = self.guest()
        invoice = self.owe(person, 4)
        path = f"/v1/invoices/{invoice['id']}/initiate-payment"
        made = self.request(path, {"provider": self.provider})
        self.links.clear()
        self.pay(self.provider, made["reference"])
        self.mailbox.deliver(self.mailbox.waiting.pop())
        self.work()
        body = {"amount": "150", "reason": "a broken ride"}
        return lambda: self.request(f"/v1/invoices/{invoice['id']}/refunds", body)

    def _prepare_virtual_account(self):
        path = f"/v1/wallets/{self.guest().wallet_id}/virtual-accounts"
        body = {"provider": self.provider, "currency": "NGN", "bvn": "22222222222"}
        return lambda: self.request(path, body)

    def deposit_everywhere(self):
        """Money comes into each bank account that is known, and its webhook is lost."""
        for person in self.people:
            for number, provider in person.accounts.items():
                self.simulated.control(
                    "deposit", provider=provider, account_number=number, amount="333"
                )
        self.mailbox.waiting.clear()


def try_all(backend, dice, chosen):
    """Try the cells of one provider, and hold it all against the books in the end."""
    with Matrix(backend, dice, chosen[0].provider) as world:
        try:
            for cell in chosen:
                world.run(cell)
            world.end()
            world.deposit_everywhere()
            world.end()
        except BaseException as error:
            error.add_note("\n".join(world.steps[-3:]))
            raise
        finally:
            backend.clock.reset()
