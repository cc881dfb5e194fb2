"""Waits for what comes about by itself in another thread."""

import time

PATIENCE_SECONDS = 20


def wait_until(condition):
    """What a condition yields, once it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)
    return found
