"""Whatever happens in whatever order, each threshold is reached once, in order."""

import pytest

from simulation import running
from simulation.alert_world import AlertWorld

STEPS = running.steps(60)
CHECKED_EVERY = 20


@pytest.mark.timeout(0 if running.is_long() else 120)
def test_alerts_of_a_long_story_are_those_that_the_auditor_counts(backend):
    def one(seed, tally):
        world = AlertWorld(backend, running.dice_of(seed), tally)
        try:
            for step in range(1, STEPS + 1):
                world.act()
                if step % CHECKED_EVERY == 0:
                    world.check()
            world.check()
        finally:
            world.close()

    running.run_all("alerts", running.seeds([11]), STEPS, one)
