"""A pytest plugin that writes down how long each test takes and whether it needs a database.

By the clock, and in processor time of the test's process, in which the server under test runs: that
does not hang on what else the machine does.
"""

import json
import os
import time
from pathlib import Path

import pytest


class _Times:
    def __init__(self) -> None:
        self.tests: dict[str, dict] = {}

    def pytest_runtest_logreport(self, report) -> None:
        seen = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True})
        seen["passed"] &= report.outcome == "passed"
        told = dict(report.user_properties)
        seen["database"], seen["busy"] = told.get("database", False), told.get("busy", 0.0)
        if report.when == "call":
            seen["seconds"] += report.duration

    def pytest_sessionfinish(self) -> None:
        Path(os.environ["MUTANTS_TIMES"]).write_text(json.dumps(self.tests))


def pytest_configure(config) -> None:
    """Only the process that sees all reports writes."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Times())


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item) -> None:
    """Told to the process that sees all reports by way of the report."""
    item.user_properties.append(("database", "owner_url" in item.fixturenames))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    """As above: how much the processor worked for it."""
    started = time.process_time()
    yield
    item.user_properties.append(("busy", time.process_time() - started))
