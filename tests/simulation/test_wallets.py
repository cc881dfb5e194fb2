"""Whatever many threads do to a few wallets at once, the money adds up."""

import os
from itertools import pairwise

import pytest

from monigo.cli.verification import verify_tenant
from simulation.wallet_world import WalletWorld
from support.api import Api

SEED = os.environ.get("MONIGO_SIM_SEED") or "7"


@pytest.fixture(scope="module", params=["test", "live"])
def world(backend, request):
    """Ten threads' use of four wallets, after everything that was held has expired.

    Live movements mostly go the express way, test ones never.
    """
    with Api.of_new_organization(backend, is_test=request.param == "test") as api:
        made = WalletWorld(api, SEED)
        made.run(threads=10, steps=80)
        made.settle()
        yield made
    backend.clock.reset()


def test_every_answer_was_one_that_may_be_given(world):
    assert world.faults == [], f"seed {SEED}"


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
