"""Whatever happens to payouts, each payee gets what is owed once, and the books say so."""

import pytest

from simulation import running
from simulation.payout_auditor import explain
from simulation.payout_matrix import cells, try_all
from simulation.payout_story import PayoutStory
from support.payments import PROVIDERS

STEPS = running.steps(60)
# After so many steps all comes to rest, and another merchant begins.
CHAPTER = 300


def tell(backend, seed, tally, steps):
    dice = running.dice_of(seed)
    left = steps
    while left > 0:
        with PayoutStory(backend, dice, tally) as story:
            try:
                for _ in range(min(left, CHAPTER)):
                    story.act()
                story.end()
            except BaseException as error:
                last = "\n".join(story.steps[-12:])
                step = steps - left + len(story.steps)
                error.add_note(f"failed in step {step}:\n{last}\n{explain(story)}")
                raise
            finally:
                backend.clock.reset()
        left -= CHAPTER


@pytest.mark.timeout(0 if running.is_long() else 120)
def test_long_random_payouts_end_where_the_providers_books_say(backend):
    def one(seed, tally):
        tell(backend, seed, tally, STEPS)

    running.run_all("payouts", running.seeds([1]), STEPS, one)


@pytest.mark.timeout(0 if running.is_long() else 240)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_long_each_call_of_payouts_with_each_fault_and_death_pays_once(backend, provider):
    chosen = cells(provider, are_all=running.is_long())

    try_all(backend, running.dice_of(1), chosen)
