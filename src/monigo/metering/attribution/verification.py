"""Verification: what events are worth by payout rules is worked out again."""

from monigo.core.verification import DIFFERENCES_MAX, Difference, Verification
from monigo.infra.db import Transaction
from monigo.metering.attribution import store, verify_store
from monigo.metering.attribution.rules import amounts_by
from monigo.metering.attribution.types import Rule
from monigo.metering.attribution.verify_store import Both


async def verify(tx: Transaction) -> Verification:
    """Compare stored amounts with the events, as long as these have their properties."""
    differences: list[Difference] = []
    for rule in await store.load_rules(tx, ended_after=tx.now):
        async for some in verify_store.read_both(tx, rule):
            differences += _differences(rule, some)
            if len(differences) >= DIFFERENCES_MAX:
                break
    counts = {"attributed amounts": await verify_store.count(tx)}
    return Verification(counts, differences[:DIFFERENCES_MAX])


def _differences(rule: Rule, some: list[Both]) -> list[Difference]:
    seen = [one.seen for one in some if one.seen is not None]
    found = amounts_by(rule, seen)
    computed = {
        str(dedup): (amount, fault)
        for dedup, amount, fault in zip(found.dedups, found.amounts, found.faults, strict=True)
    }
    return [
        Difference(
            "attributed amount",
            f"{rule.metric_id} {one.dedup}",
            _text(one.stored),
            _text(computed.get(one.dedup)),
        )
        for one in some
        if one.stored != computed.get(one.dedup)
    ]


def _text(worth: tuple[object, str] | None) -> str | None:
    if worth is None:
        return None
    amount, fault = worth
    return fault or f"{amount:f}"
