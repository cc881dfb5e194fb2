"""Whatever happens in whatever order, usage is what an independent auditor counts."""

import secrets

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from simulation import running
from simulation.world import World

STEPS = running.steps(150)
dice = st.randoms(use_true_random=False)


@pytest.mark.timeout(0 if running.is_long() else 120)
def test_a_long_random_story_ends_as_the_auditor_says(backend):
    def one(seed, tally):
        world = World(backend, tally)
        chance = running.dice_of(seed)
        try:
            for _ in range(STEPS):
                world.act(chance)
            world.settle()
        except BaseException as error:
            error.add_note(f"failed in step {len(world.story)}: {world.story[-5:]}")
            raise

    running.run_all("usage", running.seeds([secrets.randbelow(10**9)]), STEPS, one)


def test_no_short_story_is_told_otherwise_by_the_auditor(backend):
    class Story(RuleBasedStateMachine):
        """Hypothesis chooses what happens, and shortens a story that fails."""

        def __init__(self):
            super().__init__()
            self.world = World(backend)

        @rule(dice=dice)
        def ingest(self, dice):
            self.world.ingest(dice)

        @rule(dice=dice)
        def ingest_side_by_side(self, dice):
            self.world.ingest_side_by_side(dice)

        @rule(dice=dice)
        def fold(self, dice):
            self.world.fold(dice)

        @rule(dice=dice)
        def redefine(self, dice):
            self.world.redefine(dice)

        @rule(dice=dice)
        def replay(self, dice):
            self.world.replay(dice)

        @rule(dice=dice)
        def replay_in_part(self, dice):
            self.world.replay_in_part(dice)

        @rule(dice=dice)
        def replace_customer(self, dice):
            self.world.replace_customer(dice)

        @precondition(lambda self: self.world.auditor.events)
        @rule(dice=dice)
        def read(self, dice):
            self.world.read(dice)

        def teardown(self):
            self.world.settle()

    run_state_machine_as_test(
        Story,
        settings=settings(
            max_examples=10,
            stateful_step_count=15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
