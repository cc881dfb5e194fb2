"""Generated requests at every route for some minutes: `fuzz.py [MINUTES] [SEED]`.

Starts a server of its own on an embedded PostgreSQL in a temporary directory. Exits with 1 when an
answer was a server error, or one that /openapi.json does not document.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

import structlog

from monigo.infra.db.postgres import start_embedded

# The rig that starts servers for the tests.
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from support.api import Api
from support.backend import Backend, start_backend
from support.fuzzing import findings, operations_of

MINUTES_DEFAULT = 10
EXAMPLES_A_ROUND = 25
# One broken route would otherwise fill the screen.
FINDINGS_SHOWN_MAX = 20


def fuzz(backend: Backend, *, minutes: float, first_seed: int) -> list[str]:
    """Go round all operations with another seed each time, until the time is over."""
    operations = operations_of(backend.url)
    end = time.monotonic() + minutes * 60
    found: list[str] = []
    for number in count(first_seed):
        for operation in operations:
            if time.monotonic() >= end:
                return found
            # One organisation each: a quota or a rate that one request sets would stop the others.
            with Api.of_new_organization(backend) as api:
                found += findings(api, operation, examples=EXAMPLES_A_ROUND, number=number)
        print(f"seed {number}: {len(operations)} operations, {len(found)} findings so far")
    return found


def main() -> int:
    """Run, print a summary; the exit status is 1 if anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("minutes", nargs="?", type=float, default=MINUTES_DEFAULT)
    parser.add_argument("seed", nargs="?", type=int, default=1)
    arguments = parser.parse_args()
    # Only what went wrong, with its traceback.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with tempfile.TemporaryDirectory() as directory, asyncio.Runner() as runner:
        embedded = runner.run(start_embedded(Path(directory) / "postgres"))
        try:
            backend = start_backend(embedded.url, Path(directory))
            found = fuzz(backend, minutes=arguments.minutes, first_seed=arguments.seed)
            backend.stop()
        finally:
            runner.run(embedded.stop())
    for text in found[:FINDINGS_SHOWN_MAX]:
        print("", text, sep="\n")
    print(f"\n{len(found)} findings in {arguments.minutes:g} minutes")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
