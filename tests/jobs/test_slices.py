"""Slices of billing: enough side by side to keep cores busy, not all connections taken."""

import asyncio

from monigo import invoicing, metering, subscriptions
from monigo.bootstrap import SLICES_AT_ONCE
from monigo.jobs import billing

SLICES = 40


def test_slices_of_all_kinds_together_are_under_way_at_once(api, monkeypatch):
    under_way: list[str] = []
    most: set[tuple[str, ...]] = set()
    left = {"close": SLICES, "charge": SLICES}

    def slices(kind, full):
        async def work(_database, _tenant):
            under_way.append(kind)
            most.add(tuple(under_way))
            await asyncio.sleep(0.001)
            under_way.remove(kind)
            left[kind] -= 1
            return full if left[kind] > 0 else 0

        return work

    async def tenants(*_of):
        return [api.tenant]

    monkeypatch.setattr(invoicing, "close_some", slices("close", invoicing.SLICE_SIZE))
    monkeypatch.setattr(invoicing, "charge_some", slices("charge", invoicing.CHARGED_AT_ONCE))
    monkeypatch.setattr(subscriptions, "tenants_with_due", tenants)
    monkeypatch.setattr(metering, "tenants_with_changes", tenants)
    services = api.backend.services

    async def both():
        await asyncio.gather(billing.close_periods(services), billing.charge_realtime(services))

    api.backend.run(both())

    assert max(map(len, most)) == SLICES_AT_ONCE
    assert {"close", "charge"} in [set(some) for some in most]
    assert max(left.values()) <= 0
