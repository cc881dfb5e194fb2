"""Whatever people do with their sessions and organisations, each answer is the one foretold."""

import pytest

from simulation import running
from simulation.people_story import PeopleStory

STEPS = running.steps(60)


@pytest.mark.timeout(0 if running.is_long() else 300)
def test_long_each_answer_of_sessions_roles_and_invitations_is_the_one_that_was_foretold(backend):
    def one(seed, tally):
        story = PeopleStory(backend, tally)
        dice = running.dice_of(seed)
        try:
            for _ in range(STEPS):
                story.act(dice)
            story.check()
        finally:
            story.close()
            backend.clock.reset()

    running.run_all("people", running.seeds([3]), STEPS, one)
