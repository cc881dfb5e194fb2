"""Use cases of first steps: how far an organisation is, and to mark a step."""

from collections.abc import Sequence

from monigo import tenancy
from monigo.core.errors import not_found
from monigo.infra import registry
from monigo.infra.db import Tenant, Transaction
from monigo.reports.onboarding import store
from monigo.reports.onboarding.types import Progress, Step, StepProgress, StepsTaken


async def progress(tx: Transaction) -> Progress:
    """How far the organisation is; what was done meanwhile is noted, once and for all."""
    known = await store.completed(tx)
    open_steps = frozenset(Step) - known.keys()
    found = await _taken(tx, open_steps) if open_steps else set[Step]()
    if found:
        await store.complete(tx, found, is_by_hand=False)
        known = await store.completed(tx)
    return Progress(tuple(known.get(step, StepProgress(step, None, False)) for step in Step))


async def complete(tx: Transaction, step_id: str) -> Progress:
    """Mark a step as done; one that is done already stays as it is.

    Raises:
        DomainError: not_found, where there is no such step.
    """
    step = next((one for one in Step if one.value == step_id), None)
    if step is None:
        raise not_found("step")
    before = (await store.completed(tx)).get(step)
    await store.complete(tx, [step], is_by_hand=True)
    reached = await progress(tx)
    tx.changed(before, next(one for one in reached.steps if one.step is step))
    return reached


async def steps_taken(tx: Transaction, asked: StepsTaken) -> Sequence[Step]:
    """The open steps that are done by rows of the domains below."""
    return sorted(await store.taken(tx) & asked.open_steps)


async def _taken(tx: Transaction, open_steps: frozenset[Step]) -> set[Step]:
    """The open steps that were done in either mode, by whatever knows of them."""
    found: set[Step] = set()
    for is_test in (False, True):
        async with tenancy.bound_to(tx, Tenant(tx.org_id, is_test)) as own:
            found |= set(await registry.gather(own, StepsTaken(open_steps - found)))
    return found & open_steps
