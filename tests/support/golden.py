"""Golden files: what the system produces, checked in, so that review reads each change of it."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]
# `make golden` sets it.
IS_WRITING = os.environ.get("MONIGO_GOLDEN") == "write"


def assert_golden(name: str, text: str) -> None:
    """The text is what the file says; `MONIGO_GOLDEN=write` writes the file instead."""
    path = ROOT / name
    if IS_WRITING:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert path.exists(), f"{name} is missing: run `make golden` and read it"
    assert text == path.read_text(), f"{name} differs: run `make golden` and read the diff"
