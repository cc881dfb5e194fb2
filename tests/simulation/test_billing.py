"""Whatever a merchant does in whatever order, bills are what an independent auditor reckons."""

import os
import random
from collections import Counter

import pytest

from simulation.billing_world import World

# `make sim` tells many stories, each of at most this many steps, with one seed after the other.
STORY_STEPS = 150
STEPS = int(os.environ.get("MONIGO_SIM_STEPS", "60"))


def tell(backend, seed, steps, tally=None):
    dice = random.Random(seed)
    world = World(backend, dice, Counter() if tally is None else tally)
    try:
        for _ in range(steps):
            world.act(dice)
        world.finish()
    except BaseException as error:
        error.add_note(
            f"make sim SEED={seed} STEPS={steps}  (failed in step {len(world.steps)}:"
            f" {chr(10).join(world.steps[-4:])})"
        )
        raise


def test_long_random_years_are_billed_as_the_auditor_says(backend):
    seed = int(os.environ.get("MONIGO_SIM_SEED") or 4)

    for begun in range(0, STEPS, STORY_STEPS):
        tell(backend, seed + begun // STORY_STEPS, min(STORY_STEPS, STEPS - begun))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_short_random_months_are_billed_as_the_auditor_says(backend, seed):
    tell(backend, seed, 40)
