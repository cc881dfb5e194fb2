"""What moves in wallets besides billing: money in and out, credits given and taken back."""

import random
from fractions import Fraction
from typing import Any

from simulation.billing_story import Story
from simulation.billing_wallets import NOTHING, Grant, Wallet
from simulation.billing_wire import DAY, METRICS, told

SIZES = ("0.5", "3", "10", "100", "700.25", "5000", "120000")


class Money(Story):
    """Wallets get money and credits."""

    def wallet(self, dice: random.Random) -> Wallet:
        """A customer's wallet, mostly one that some subscription is paid from."""
        needed = [
            (sub.customer, sub.plan.currency)
            for sub in self.running()
            if sub.plan.plan_type == "collection" and sub.plan.mode != "postpaid"
        ]
        owner = dice.choice(self.customers), dice.choice(("NGN", "XOF"))
        if needed and dice.random() < 0.8:
            owner = dice.choice(needed)
        if owner not in self.books.wallets:
            made = self.api.wallet(*owner)
            self.books.wallets[owner] = Wallet(made["id"], *owner)
        return self.books.wallets[owner]

    def credit(self, dice: random.Random) -> None:
        """Money comes in; it pays what waited for it."""
        wallet, amount = self.wallet(dice), dice.choice(SIZES)
        if self.request("post", f"/v1/wallets/{wallet.id}/credit", self.movement(wallet, amount)):
            wallet.balance += Fraction(amount)
            self.books.credited.add(wallet.customer)
            self.work()

    def debit(self, dice: random.Random) -> None:
        """Money goes out, as far as it is there; credits are no money."""
        wallet, amount = self.wallet(dice), dice.choice(SIZES)
        filled = [known for known in self.books.wallets.values() if known.balance > 0]
        if filled and dice.random() < 0.7:
            wallet = dice.choice(filled)
        if wallet.balance > 0 and dice.random() < 0.8:
            step = Fraction(1, 10**6)
            change = dice.choice((NOTHING, NOTHING, step, -step))
            amount = f"{float(wallet.balance + change):.6f}"
        if Fraction(amount) <= 0:
            return
        wanted = 200 if Fraction(amount) <= wallet.balance else 402
        body = {**self.movement(wallet, amount), "entry_type": "withdrawal"}
        if self.request("post", f"/v1/wallets/{wallet.id}/debit", body, wanted=wanted):
            wallet.balance -= Fraction(amount)

    def movement(self, wallet: Wallet, amount: str) -> dict[str, Any]:
        return {
            "amount": amount,
            "currency": wallet.currency,
            "entry_type": "deposit",
            "idempotency_key": self.key(),
        }

    def grant(self, dice: random.Random) -> None:
        """A credit is given, for any usage or for some metrics only, for a while or for ever."""
        wallet, amount = self.wallet(dice), dice.choice(SIZES[2:])
        is_limited = dice.random() < 0.4
        kinds = dice.sample(list(METRICS), dice.choice((1, 1, 2)))
        metrics = [self.metrics[kind] for kind in kinds] if is_limited else []
        ends = [
            span[1]
            for sub in self.running()
            if sub.customer == wallet.customer and (span := sub.first_open())
        ]
        expires = self.now + dice.randrange(1, 60) * DAY
        if ends and dice.random() < 0.4:
            expires = dice.choice(ends) + dice.choice((0, 0, 1)) * self.books.grace
        expires = expires if dice.random() < 0.7 else None
        body = {
            "amount": amount,
            "currency": wallet.currency,
            "idempotency_key": self.key(),
            "priority": dice.choice((0, 1)) if is_limited else dice.choice((1, 2, 3)),
            "expires_at": told(expires) if expires else None,
            "metric_ids": metrics,
        }
        wanted = 400 if expires and expires <= self.now else 200
        made = self.request("post", f"/v1/wallets/{wallet.id}/credits", body, wanted=wanted)
        if made is not None:
            wallet.grants.append(
                Grant(
                    id=made["credit"]["id"],
                    number=self.keys,
                    amount=Fraction(amount),
                    remaining=Fraction(amount),
                    priority=body["priority"],
                    expires=expires,
                    metrics=frozenset(metrics),
                )
            )
            self.books.credited.add(wallet.customer)
            self.work()

    def revoke(self, dice: random.Random) -> None:
        """What is left of a credit is taken back."""
        grants = [
            (wallet, grant) for wallet in self.books.wallets.values() for grant in wallet.grants
        ]
        if grants:
            wallet, grant = dice.choice(grants[-5:])
            wanted = 409 if grant.revoked else 200
            path = f"/v1/wallets/{wallet.id}/credits/{grant.id}/revoke"
            if self.request("post", path, wanted=wanted):
                grant.remaining, grant.revoked = NOTHING, True
