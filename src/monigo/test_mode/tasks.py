"""The due work of tenancy: test clocks that a process left behind on their way."""

from collections.abc import Sequence
from functools import partial

from monigo.infra.agenda import Steps, Task
from monigo.test_mode.clock import TEST_CLOCK, take_on


def keep_clocks(tasks: Sequence[Task]) -> Task:
    """Go on with test clocks whose runner has died, doing on the way what is due of these tasks."""
    return Task(TEST_CLOCK, Steps(partial(take_on, tasks=tasks)))
