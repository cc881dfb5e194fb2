"""How simulations are run: which seeds, how many steps, and what is told of them at the end."""

import os
import random
import secrets
import traceback
from collections import Counter
from collections.abc import Callable, Iterable

# Of `make sim`; the suite runs a few fixed seeds.
SEED = os.environ.get("MONIGO_SIM_SEED")
STEPS = os.environ.get("MONIGO_SIM_STEPS")
COUNT = os.environ.get("MONIGO_SIM_N")
# A kind of operation that is nearly always refused tries nothing.
TRIES_MIN, ACCEPTED_SHARE_MIN = 30, 0.2


def is_long() -> bool:
    """Whether somebody asked for a long run."""
    return any((SEED, STEPS, COUNT))


def steps(usual: int) -> int:
    """How many steps a story has."""
    return int(STEPS or usual)


def seeds(usual: Iterable[int]) -> list[int]:
    """The seeds to run: those asked for, new ones in a long run, or the usual ones."""
    if not is_long():
        return list(usual)
    first = int(SEED) if SEED else secrets.randbelow(10**9)
    return list(range(first, first + int(COUNT or 1)))


def run_all(
    name: str, chosen: list[int], length: int, tell: Callable[[int, Counter], None]
) -> None:
    """Tell a story for each seed, all of them whatever fails, and a table of what was tried."""
    tally: Counter = Counter()
    failed: dict[int, BaseException] = {}
    for seed in chosen:
        try:
            tell(seed, tally)
        except Exception as error:  # noqa: BLE001 - the other seeds are told, too
            error.add_note(f"{name}: make sim SEED={seed} STEPS={length} N=1")
            failed[seed] = error
            if is_long():
                traceback.print_exception(error)
    show(name, tally)
    assert not failed, f"{name}: seeds {list(failed)} of {length} steps" + told(failed)
    faults = one_sided(tally)
    assert not faults or not is_long(), f"{name}: nearly always refused: {faults}"


def told(failed: dict[int, BaseException]) -> str:
    """The first failure, for whoever reads no further."""
    return "\n" + "".join(traceback.format_exception(next(iter(failed.values())))[-3:])


def one_sided(tally: Counter) -> list[str]:
    """The kinds of operations that were tried often and hardly ever accepted."""
    return [
        kind
        for kind in sorted({kind for kind, _ in tally})
        for accepted, tries in [(tally[kind, "accepted"], tries_of(tally, kind))]
        if tries >= TRIES_MIN and accepted < ACCEPTED_SHARE_MIN * tries
    ]


def tries_of(tally: Counter, kind: str) -> int:
    return tally[kind, "accepted"] + tally[kind, "refused"]


def show(name: str, tally: Counter) -> None:
    """Print how often each kind of operation was accepted and refused."""
    lines = [f"{name:<24} accepted  refused"]
    lines += [
        f"  {kind:<22} {tally[kind, 'accepted']:>8} {tally[kind, 'refused']:>8}"
        for kind in sorted({kind for kind, _ in tally})
    ]
    print("\n" + "\n".join(lines))  # noqa: T201 - for `make sim`, and pytest keeps it otherwise


def dice_of(seed: int, name: str = "") -> random.Random:
    """The dice of a seed."""
    return random.Random(f"{seed}-{name}" if name else seed)
