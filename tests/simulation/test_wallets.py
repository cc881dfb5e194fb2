"""Whatever many threads do to a few wallets at once, the money adds up."""

from itertools import pairwise

import pytest

from monigo.cli.verification import verify_tenant
from simulation import running
from simulation.wallet_story import WalletStory
from simulation.wallet_world import WalletWorld
from support.api import Api

SEED = running.SEED or "7"
STEPS = running.steps(120)


@pytest.fixture(scope="module", params=["test", "live"])
def world(backend, request):
    """Ten threads' use of four wallets, after everything that was held has expired."""
    with Api.of_new_organization(backend, is_test=request.param == "test") as api:
        made = WalletWorld(api, SEED)
        made.run(threads=10, steps=60)
        made.settle()
        yield made
    backend.clock.reset()


def test_every_answer_was_one_that_may_be_given(world):
    assert world.faults == [], f"seed {SEED}"


def test_every_answer_is_explained_by_some_order_of_the_requests(world):
    assert world.unexplained() == [], f"seed {SEED}"


def test_balances_are_what_the_answers_add_up_to(world):
    balances = {wallet_id: world.balance(wallet_id) for wallet_id in world.wallets}

    assert balances == {wallet_id: (world.expected[wallet_id], 0) for wallet_id in world.wallets}


def test_entries_chain_without_a_gap_and_never_below_zero(world):
    chains = [world.chain(wallet_id) for wallet_id in world.wallets]

    assert [chain[0][0] for chain in chains] == [0] * len(chains)
    assert all(earlier[1] == later[0] for chain in chains for earlier, later in pairwise(chain))
    assert min(balance for chain in chains for pair in chain for balance in pair) >= 0


def test_verification_finds_nothing(world, backend):
    found = backend.run(verify_tenant(backend.services.database, world.api.tenant))

    assert [difference for one in found for difference in one.differences] == []


@pytest.mark.timeout(0 if running.is_long() else 120)
def test_long_one_after_the_other_each_answer_is_the_one_that_was_foretold(backend):
    def one(seed, tally):
        dice = running.dice_of(seed)
        story = WalletStory(backend, dice, tally)
        for _ in range(STEPS):
            story.act(dice)
        story.api.http.close()

    running.run_all("wallets", running.seeds([1]), STEPS, one)


@pytest.mark.timeout(0)
@pytest.mark.skipif(not running.is_long(), reason="the suite runs its one story above")
def test_long_side_by_side_each_answer_is_explained(backend):
    def one(seed, tally):
        with Api.of_new_organization(backend, is_test=seed % 2 == 0) as api:
            story = WalletWorld(api, seed)
            story.run(threads=6, steps=STEPS // 4 + 1)
            story.settle()
            found = {wallet_id: story.balance(wallet_id) for wallet_id in story.wallets}
            tally.update(story.tally)
        assert (story.faults, story.unexplained()) == ([], [])
        assert found == {known: (story.expected[known], 0) for known in story.wallets}

    try:
        running.run_all("wallets side by side", running.seeds([7]), STEPS, one)
    finally:
        backend.clock.reset()
