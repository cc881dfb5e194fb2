"""Whatever a merchant does in whatever order, bills are what an independent auditor computes."""

import pytest

from simulation import running
from simulation.billing_world import World

STEPS = running.steps(30)


def tell(backend, seed, tally, steps):
    world = World(backend, running.dice_of(seed), tally)
    try:
        for _ in range(steps):
            world.act(world.dice)
        world.finish()
    except BaseException as error:
        error.add_note(f"failed in step {len(world.steps)}:\n" + "\n".join(world.steps[-4:]))
        raise


@pytest.mark.timeout(0 if running.is_long() else 120)
def test_long_random_years_are_billed_as_the_auditor_says(backend):
    def one(seed, tally):
        tell(backend, seed, tally, STEPS)

    running.run_all("billing", running.seeds([1, 2, 3]), STEPS, one)
