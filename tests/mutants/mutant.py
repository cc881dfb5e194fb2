"""What a mutant is: one file of the product with one place changed."""

import ast
import difflib
import tomllib
from pathlib import Path

from msgspec import Struct, convert

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
NAMED = HERE / "named"
EQUIVALENTS = HERE / "equivalents.toml"


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """One entry of a list kept by hand: the text `before` stands once in `file`.

    `tests` names what is to notice it where no coverage tells, as for a file of SQL; `reason`
    says, of an equivalent, why nothing could.
    """

    file: str
    before: str
    after: str
    name: str = ""
    reason: str = ""
    tests: list[str] = []

    def applied(self) -> str:
        """The file's text with the change; raises ValueError unless it fits exactly once."""
        path = ROOT / self.file
        text = path.read_text() if path.is_file() else ""
        count = text.count(self.before)
        if count != 1:
            what = self.name or self.before
            raise ValueError(f"{self.file}: the text of {what!r} stands there {count} times")
        return text.replace(self.before, self.after)


class Mutant(Struct, frozen=True):
    """One file as it is and as the mutant has it; `kind` says what made it."""

    name: str
    kind: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...] = ()

    @property
    def line(self) -> int:
        """The first line that differs, counted from 1."""
        return first_difference(self.before, self.after)

    def diff(self) -> str:
        """The change as a patch without surroundings."""
        lines = difflib.unified_diff(
            self.before.splitlines(), self.after.splitlines(), lineterm="", n=0
        )
        return "\n".join(list(lines)[2:])


def first_difference(before: str, after: str) -> int:
    """The first line, counted from 1, in which two texts differ."""
    lines = before.splitlines()
    pairs = enumerate(zip(lines, after.splitlines(), strict=False), start=1)
    return next((number for number, (one, other) in pairs if one != other), len(lines))


def changes(path: Path) -> list[Change]:
    """The entries of one list."""
    return convert(tomllib.loads(path.read_text()).get("mutant", []), list[Change])


def named_mutants() -> list[Mutant]:
    """Every entry of the lists under named/; raises ValueError where one no longer fits."""
    return [
        Mutant(
            name=change.name,
            kind=path.stem,
            file=change.file,
            before=(ROOT / change.file).read_text(),
            after=change.applied(),
            tests=tuple(change.tests),
        )
        for path in sorted(NAMED.glob("*.toml"))
        for change in changes(path)
    ]


def equivalents() -> dict[tuple[str, str], str]:
    """Why no test can notice a change, by the file and by its text with that change."""
    return {(change.file, change.applied()): change.reason for change in changes(EQUIVALENTS)}


def pure_files() -> list[str]:
    """The core, every file of rules, and every module that calls itself pure."""
    return [
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / "src" / "monigo").rglob("*.py"))
        if path.name != "__init__.py" and ("core" in path.parts or _is_pure(path))
    ]


def _is_pure(path: Path) -> bool:
    if path.name.endswith("rules.py"):
        return True
    described = ast.get_docstring(ast.parse(path.read_text())) or ""
    return "pure" in described.lower().replace(".", " ").split()
