"""`make mutants`: changes the product in many places, and counts which changes a test notices."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import click

sys.path.insert(0, str(Path(__file__).parents[1]))

from mutants import recording
from mutants.generating import sample
from mutants.mutant import Mutant, equivalents, named_mutants
from mutants.worker import Outcome, Verdict, Worker

KILLED_PERCENT_WANTED = 95
# Names of those that survived the last run, for the next to try these alone.
SURVIVORS = recording.PLACE / "survivors.json"
# Of the processor, about a minute on a machine that does nothing else. A mutant that none of the
# nearest tests notices by then counts as surviving.
TEST_SECONDS_A_MUTANT = 20.0


class Progress:
    """Gives out mutants and tells what becomes of them."""

    def __init__(self, mutants: list[Mutant], reasons: dict[tuple[str, str], str]) -> None:
        self._left = iter(mutants)
        self._lock = Lock()
        self._reasons = reasons
        self._count = len(mutants)
        self.verdicts: list[Verdict] = []

    def take(self) -> Iterator[Mutant]:
        """Mutants for one worker, until none is left; equivalents are put aside."""
        while True:
            with self._lock:
                mutant = next(self._left, None)
            if mutant is None:
                return
            if (mutant.file, mutant.after) in self._reasons:
                self.tell(Verdict(mutant, Outcome.EQUIVALENT))
            else:
                yield mutant

    def tell(self, verdict: Verdict) -> None:
        """Note a verdict and print a line of it."""
        with self._lock:
            self.verdicts.append(verdict)
            mutant, number = verdict.mutant, len(self.verdicts)
            name = mutant.name if mutant.kind in mutant.name else f"{mutant.name} {mutant.kind}"
            what = f"{verdict.outcome:<10} {name}  {mutant.file}:{mutant.line}"
            by = f"  by {verdict.test}" if verdict.test else ""
            print(f"{number:>4}/{self._count} {verdict.seconds:5.1f} s {what}{by}", flush=True)
            if verdict.outcome is Outcome.SURVIVED:
                print(mutant.diff(), flush=True)


def _work(number: int, progress: Progress, record: recording.Record, seconds: float) -> None:
    with Worker(recording.PLACE / f"worker-{number}") as worker:
        chooser = recording.Chooser(record, worker.known)
        for mutant in progress.take():
            tests = chooser.tests(mutant, seconds=seconds)
            if not tests:
                progress.tell(Verdict(mutant, Outcome.SURVIVED))
                continue
            progress.tell(worker.judge(mutant, tests, chooser.usual(tests)))


def _unreliable(record: recording.Record, verdicts: list[Verdict]) -> list[str]:
    """Tests that killed a mutant and fail without one, too: what they said is worth nothing."""
    killers = sorted({verdict.test for verdict in verdicts if verdict.test})
    with Worker(recording.PLACE / "worker-0") as worker:
        chooser = recording.Chooser(record, worker.known)
        killers = [test for test in killers if test in worker.known]
        if not killers or not worker.failing(killers, chooser.usual(killers)):
            return []
        return [test for test in killers if worker.failing([test], chooser.usual([test]))]


def _table(verdicts: list[Verdict]) -> bool:
    """Print the result; whether enough were killed."""
    for verdict in verdicts:
        if verdict.outcome is Outcome.SURVIVED:
            mutant = verdict.mutant
            print(f"\nsurvived {verdict.tests} tests: {mutant.name} ({mutant.kind})")
            print(f"{mutant.file}\n{mutant.diff()}")
    print(f"\n{'':<10}{'killed':>8}{'timed out':>11}{'survived':>10}{'equivalent':>12}{'':>9}")
    groups = {
        "sampled": [verdict for verdict in verdicts if "#" in verdict.mutant.name],
        "named": [verdict for verdict in verdicts if "#" not in verdict.mutant.name],
        "all": verdicts,
    }
    percent = 100.0
    for name, group in groups.items():
        if not group:
            continue
        count = Counter(verdict.outcome for verdict in group)
        noticed = count[Outcome.KILLED] + count[Outcome.TIMED_OUT]
        percent = 100 * noticed / (noticed + count[Outcome.SURVIVED] or 1)
        print(
            f"{name:<10}{count[Outcome.KILLED]:>8}{count[Outcome.TIMED_OUT]:>11}"
            f"{count[Outcome.SURVIVED]:>10}{count[Outcome.EQUIVALENT]:>12}{percent:>8.1f}%"
        )
    return percent >= KILLED_PERCENT_WANTED


@click.command()
@click.option("--count", default=400, help="How many mutants of the pure files to sample.")
@click.option("--seed", default=1, help="Which sample.")
@click.option("--workers", default=2, help="How many at a time.")
@click.option("--only", default="", help="Only files whose path contains this.")
@click.option("--kind", default="all", type=click.Choice(["all", "sampled", "named"]))
@click.option("--seconds", default=TEST_SECONDS_A_MUTANT, help="Of the processor, for each mutant.")
@click.option("--again", is_flag=True, help="Only those that survived the last run.")
@click.option("--stale", is_flag=True, help="Use the last recording whatever has changed since.")
def main(  # noqa: PLR0917 - options of a command
    count: int,
    seed: int,
    workers: int,
    only: str,
    kind: str,
    seconds: float,
    again: bool,  # noqa: FBT001 - an option
    stale: bool,  # noqa: FBT001 - an option
) -> None:
    """Try a seeded sample of generated mutants, and all that are named."""
    started = time.monotonic()
    reasons = equivalents()
    mutants = [mutant for mutant in named_mutants() if only in mutant.file]
    mutants = [] if kind == "sampled" else mutants
    if kind != "named":
        mutants += sample(count=count, seed=seed, only=only)
    if again:
        names = json.loads(SURVIVORS.read_text())
        mutants = [mutant for mutant in mutants if mutant.name in names]
    record = recording.load() if stale else None
    record = record or recording.up_to_date(workers=workers + 1)
    progress = Progress(mutants, reasons)
    with ThreadPoolExecutor(workers) as pool:
        work = [pool.submit(_work, n, progress, record, seconds) for n in range(workers)]
        for part in work:
            part.result()
    survived = [one for one in progress.verdicts if one.outcome is Outcome.SURVIVED]
    SURVIVORS.write_text(json.dumps([one.mutant.name for one in survived]))
    enough = _table(progress.verdicts)
    print(f"seed {seed}, {(time.monotonic() - started) / 60:.0f} minutes")
    if wrong := _unreliable(record, progress.verdicts):
        print("These tests fail without any mutant:", *wrong, sep="\n  ")
        enough = False
    # Threads of the servers' loops may still be there.
    os._exit(0 if enough else 1)


if __name__ == "__main__":
    main()
