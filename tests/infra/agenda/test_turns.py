"""Turns: work that waits for one machine leaves the other lanes to what waits for another."""

import asyncio

from monigo.infra.agenda import Turns, turns


def test_what_hangs_leaves_the_other_lanes(monkeypatch):
    monkeypatch.setattr(turns, "TURN_SECONDS", 0.01)
    own = Turns(2)
    released = asyncio.Event()

    async def wait(machine):
        async with own.at(machine) as is_free:
            if is_free and machine == "hanging":
                await released.wait()
            return is_free

    async def several():
        hanging = [asyncio.create_task(wait("hanging")) for _ in range(4)]
        await asyncio.sleep(0.1)
        others = [await wait("other") for _ in range(4)]
        released.set()
        return [await one for one in hanging], others, await wait("hanging")

    hanging, others, after = asyncio.run(several())

    assert (sorted(hanging), others, after) == ([False, False, True, True], [True] * 4, True)
