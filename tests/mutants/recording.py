"""Which tests pass through which function: recorded once, by a run of the suite under coverage."""

import ast
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from hashlib import sha256
from pathlib import Path

from coverage import CoverageData
from msgspec import Struct, convert, to_builtins
from msgspec.structs import replace

from mutants.mutant import ROOT, Mutant

PLACE = ROOT / ".mutants"
RECORD = PLACE / "record.json"
# What tells nothing of what the product does, or does it in processes that are not looked into.
NOT_RECORDED = (
    *("tests/house", "tests/mutants", "tests/crash", "tests/infra/db/test_postgres.py"),
    "tests/api/test_fuzz.py",
)
# Where a test of the real server makes an organisation, before it begins.
ORGANIZATION_SECONDS = 0.05
# A test that takes more than this part of what there is for a mutant is tried after all others.
LONG_PART = 0.1


class Seen(Struct, frozen=True):
    """A test as the recording met it: how long by the clock, how much of it the processor worked.

    The former grows with whatever else the machine does, so that the latter decides what is run.
    """

    seconds: float
    busy: float
    database: bool


class Usual(Struct, frozen=True):
    """How many seconds some tests take together, and the longest; how many the processor works."""

    all: float
    longest: float
    busy: float


class Record(Struct):
    """Tests by their node ids, and for each file and function the tests that pass through it.

    `sources` stands for everything but the files of tests, each of which has a hash of its own.
    """

    sources: str
    files: dict[str, str]
    tests: dict[str, Seen]
    functions: dict[str, dict[str, list[str]]]


def up_to_date(*, workers: int) -> Record:
    """The last recording, or as much of a new one as has changed since."""
    sources, files, known = _sources(), _test_files(), load()
    if known is None or known.sources != sources:
        return _keep(_recorded([], workers), sources, files)
    changed = [name for name, digest in files.items() if known.files.get(name) != digest]
    gone = known.files.keys() - (files.keys() - set(changed))
    if gone:
        known = _without(known, gone)
    return _keep(_merged(known, _recorded(changed, workers)) if changed else known, sources, files)


def load() -> Record | None:
    """The last recording, whatever has changed since, if there is one."""
    if not RECORD.is_file():
        return None
    kept = json.loads(RECORD.read_text())
    names = list(kept["tests"])
    for by_function in kept["functions"].values():
        by_function |= {
            name: [names[number] for number in numbers] for name, numbers in by_function.items()
        }
    return convert(kept, Record)


def _keep(found: Record, sources: str, files: dict[str, str]) -> Record:
    found = replace(found, sources=sources, files=files)
    numbers = {name: number for number, name in enumerate(found.tests)}
    kept = to_builtins(found)
    for by_function in kept["functions"].values():
        by_function |= {
            name: [numbers[test] for test in tests if test in numbers]
            for name, tests in by_function.items()
        }
    RECORD.write_text(json.dumps(kept))
    return found


def _without(known: Record, files: AbstractSet[str]) -> Record:
    """A recording freed of the tests of these files."""
    tests = {name: seen for name, seen in known.tests.items() if _file_of(name) not in files}
    functions = {
        file: {
            name: [test for test in passing if test in tests]
            for name, passing in by_function.items()
        }
        for file, by_function in known.functions.items()
    }
    return replace(known, tests=tests, functions=functions)


def _merged(known: Record, new: Record) -> Record:
    functions = {file: dict(by_function) for file, by_function in known.functions.items()}
    for file, by_function in new.functions.items():
        ours = functions.setdefault(file, {})
        for name, tests in by_function.items():
            ours[name] = sorted({*ours.get(name, ()), *tests})
    return replace(known, tests=known.tests | new.tests, functions=functions)


def _file_of(test: str) -> str:
    return test.partition("::")[0]


def _digest(paths: Iterable[Path]) -> str:
    told = sha256()
    for path in sorted(paths):
        told.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return told.hexdigest()


def _sources() -> str:
    """A hash of all that tests rest on."""
    shared = [path for path in ROOT.glob("tests/**/*.py") if not path.name.startswith("test_")]
    tools = {path for path in shared if path.is_relative_to(ROOT / "tests" / "mutants")}
    return _digest({*ROOT.glob("src/**/*.py"), *ROOT.glob("db/**/*.sql"), *shared} - tools)


def _test_files() -> dict[str, str]:
    return {
        name: _digest([path])
        for path in ROOT.glob("tests/**/test_*.py")
        if not (name := path.relative_to(ROOT).as_posix()).startswith(NOT_RECORDED)
    }


def _recorded(only: list[str], workers: int) -> Record:
    """Run the suite, or some files of it, under coverage; what it passed through."""
    print("recording which tests pass through which function …", flush=True)
    PLACE.mkdir(exist_ok=True)
    data_file, times = PLACE / "coverage.sqlite", PLACE / "times.json"
    data_file.unlink(missing_ok=True)
    environment = os.environ | {
        "MUTANTS_TIMES": str(times),
        "COVERAGE_FILE": str(data_file),
        "PYTHONPATH": str(ROOT / "tests"),
    }
    command = [sys.executable, "-m", "pytest", "-n", str(workers), "--dist", "loadfile"]
    command += ["-p", "mutants.recorder", "--cov=monigo", "--cov-context=test", "--cov-report="]
    command += [f"--cov-config={Path(__file__).parent / 'coverage.ini'}", "--hypothesis-seed=0"]
    command += only or [f"--ignore={path}" for path in NOT_RECORDED]
    subprocess.run(command, cwd=ROOT, env=environment, check=False)
    return Record("", {}, _tests(times), _functions(data_file))


def _tests(times: Path) -> dict[str, Seen]:
    """Those that passed; a test that fails by itself would condemn every mutant."""
    return {
        name: Seen(seconds=seen["seconds"], busy=seen["busy"], database=seen["database"])
        for name, seen in json.loads(times.read_text()).items()
        if seen["passed"]
    }


def _functions(data_file: Path) -> dict[str, dict[str, list[str]]]:
    data = CoverageData(str(data_file))
    data.read()
    functions: dict[str, dict[str, list[str]]] = {}
    for measured in data.measured_files():
        path = ROOT / measured
        if not path.is_relative_to(ROOT / "src"):
            continue
        names = function_of_lines(path.read_text())
        tests: dict[str, set[str]] = defaultdict(set)
        for line, contexts in data.contexts_by_lineno(measured).items():
            if line in names:
                tests[names[line]].update(
                    context.removesuffix("|run") for context in contexts if context.endswith("|run")
                )
        functions[path.relative_to(ROOT).as_posix()] = {
            name: sorted(found) for name, found in tests.items()
        }
    return functions


def function_of_lines(text: str) -> dict[int, str]:
    """For each line inside a function the name of the outermost one, `Class.method` for methods."""
    return {
        line: name
        for name, node in _definitions(ast.parse(text))
        if not isinstance(node, ast.ClassDef)
        for line in range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1)
    }


def _definitions(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.stmt]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield inside + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield inside + node.name, node
            yield from _definitions(node, f"{inside}{node.name}.")


def _names_at(text: str, line: int) -> set[str]:
    """What the statement at the top of a module defines, directly or by what is made of it."""
    tree = ast.parse(text)
    found: set[str] = set()
    for node in tree.body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            found |= _defined(node)
    while True:
        more = {
            name
            for node in tree.body
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            and any(isinstance(part, ast.Name) and part.id in found for part in ast.walk(node))
            for name in _defined(node)
        }
        if more <= found:
            return found
        found |= more


def _defined(node: ast.stmt) -> set[str]:
    match node:
        case ast.Assign(targets=targets):
            return {target.id for target in targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return {name}
        case _:
            return set()


def _users(file: str, text: str, name: str, source: str) -> set[str]:
    """The functions of a file that use a name of the module `source`, also as `module.name`.

    Not by the word: half of the statements in stores hold an UPDATE.
    """
    if name not in text:
        return set()
    tree = ast.parse(text)
    is_known = file == source or any(
        name in {alias.name for alias in node.names}
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
    )
    functions = function_of_lines(text)
    module = Path(source).stem
    # Each package has its own `store`.
    is_near = Path(source).parent in {Path(file).parent, Path("src/monigo/core")}
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=known) if known == name and is_known:
                found.add(functions.get(node.lineno, ""))
            case ast.Attribute(value=ast.Name(id=owner), attr=known):
                if (owner, known) == (module, name) and is_near:
                    found.add(functions.get(node.lineno, ""))
            case _:
                pass
    return found - {""}


class Chooser:
    """Chooses the tests for a mutant, those first that are quickest and nearest to it."""

    def __init__(self, record: Record, known: set[str]) -> None:
        self._record = record
        self._known = known
        self._breadth: dict[str, int] = defaultdict(int)
        for by_function in record.functions.values():
            for tests in by_function.values():
                for test in tests:
                    self._breadth[test] += 1
        self._texts = {file: (ROOT / file).read_text() for file in record.functions}

    def tests(self, mutant: Mutant, *, seconds: float) -> list[str]:
        """Node ids in the order to run them, together about so many seconds of the processor."""
        long = seconds * LONG_PART
        if mutant.tests:
            named = {test for test in self._known if test.startswith(mutant.tests)}
            known = self._in_order(named, mutant.file, long=long)
            return [*known, *sorted(named.difference(known))]
        chosen: list[str] = []
        for test in self._in_order(self._passing(mutant), mutant.file, long=long):
            seconds -= self._busy(test)
            if seconds < 0 and chosen:
                break
            chosen.append(test)
        return chosen

    def usual(self, tests: list[str]) -> Usual:
        """How long tests take by the recording; those that it does not know count nothing."""
        known = self._record.tests
        seen = [known[test].seconds for test in tests if test in known]
        busy = sum(self._busy(test) for test in tests if test in known)
        return Usual(all=sum(seen), longest=max(seen, default=0.0), busy=busy)

    def _busy(self, test: str) -> float:
        seen = self._record.tests[test]
        return seen.busy + ORGANIZATION_SECONDS * seen.database

    def _passing(self, mutant: Mutant) -> set[str]:
        """The tests that pass through the function, or through what uses the constant."""
        by_function = self._record.functions.get(mutant.file, {})
        function = function_of_lines(mutant.before).get(mutant.line)
        if function in by_function:
            return set(by_function[function])
        found: set[str] = set()
        for name in _names_at(mutant.before, mutant.line):
            # A function's defaults stand before its body.
            found.update(by_function.get(name, ()), self._using(name, mutant.file))
        return found or {test for tests in by_function.values() for test in tests}

    def _using(self, name: str, source: str) -> Iterator[str]:
        """The tests of functions that use what a module defines under a name."""
        for file, by_function in self._record.functions.items():
            for function in _users(file, self._texts[file], name, source):
                yield from by_function.get(function, [])

    def _in_order(self, tests: set[str], source: str, *, long: float) -> list[str]:
        """Those of a file named after the source's come first, the others from each in turn."""
        path = Path(source)
        subject = path.stem.removesuffix("_store").removesuffix("_rules")
        subject = path.parent.name if subject == "store" else subject
        by_file: dict[str, list[str]] = defaultdict(list)
        known = sorted(tests & self._known & self._record.tests.keys())
        for test in sorted(known, key=lambda test: (self._breadth[test], test)):
            by_file[_file_of(test)].append(test)
        ranked = [
            (
                self._record.tests[test].database,
                self._busy(test) > long,
                subject not in Path(_file_of(test)).name,
                rank,
                self._breadth[test],
                test,
            )
            for tests in by_file.values()
            for rank, test in enumerate(tests)
        ]
        return [test for *_, test in sorted(ranked)]
