"""What must have been reached, counted by brute force from what was acknowledged."""

from collections import defaultdict
from datetime import timedelta

DAY = timedelta(days=1)


def midnight(instant):
    return instant.replace(hour=0, minute=0, second=0, microsecond=0)


class AlertAuditor:
    """Keeps every acknowledged event, and shares nothing with the product.

    Periods are days of UTC, the first cut where the subscription starts.
    """

    def __init__(self, thresholds, unit_price):
        self.thresholds = thresholds
        self.unit_price = unit_price
        self.starts = {}
        self.events = {}
        self.below = set()
        self.fallen = []

    def subscribed(self, customer, start):
        self.starts[customer] = start

    def took(self, key, customer, instant):
        """An event was acknowledged; a repeat changes nothing."""
        self.events.setdefault(key, (customer, instant))

    def period_start(self, customer, instant):
        return max(midnight(instant), self.starts[customer])

    def reached(self, kind):
        """The thresholds of each customer's periods, in order; `kind` is usage or cost."""
        counts = defaultdict(int)
        for customer, instant in self.events.values():
            if customer in self.starts:
                counts[customer, self.period_start(customer, instant)] += 1
        factor = self.unit_price if kind == "cost" else 1
        found = {
            place: [one for one in self.thresholds[kind] if count * factor >= one]
            for place, count in counts.items()
        }
        return {place: values for place, values in found.items() if values}

    def balance_seen(self, balance):
        """A look saw a balance: what it is below is told, unless it was below it before."""
        falling = [one for one in self.thresholds["balance"] if balance < one]
        self.fallen += [one for one in falling if one not in self.below]
        self.below = set(falling)
