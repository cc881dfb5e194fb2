"""A pytest plugin that writes down how long each test takes and whether it needs a database."""

import json
import os
from pathlib import Path

import pytest


class _Times:
    def __init__(self) -> None:
        self.tests: dict[str, dict] = {}

    def pytest_runtest_logreport(self, report) -> None:
        seen = self.tests.setdefault(report.nodeid, {"seconds": 0.0, "passed": True})
        seen["passed"] &= report.outcome == "passed"
        seen["database"] = dict(report.user_properties).get("database", False)
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
