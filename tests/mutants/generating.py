"""Makes the mutants of a file: each operator of mutmut, and a few of our own, at each place.

Left out is what no test should pin: types, sentences for people, how classes are declared.
"""

import ast
import random
from collections import defaultdict
from collections.abc import Iterator
from itertools import zip_longest

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from msgspec import Struct
from mutmut.mutation.mutators import mutation_operators, operator_string

from mutants.mutant import ROOT, Mutant, first_difference, pure_files

# Names that do the opposite of each other, or nearly.
SWAPPED_NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "ROUND_HALF_EVEN": "ROUND_HALF_UP",
    "ROUND_HALF_UP": "ROUND_HALF_EVEN",
    "ROUND_DOWN": "ROUND_UP",
    "ROUND_CEILING": "ROUND_FLOOR",
    "ROUND_FLOOR": "ROUND_CEILING",
}
# Calls that name a type; their texts mean nothing at run time.
TYPE_CALLS = frozenset({"NewType", "TypeVar", "cast"})


def guard_off(node: cst.If) -> Iterator[cst.If]:
    """An `if` that only raises or returns never does."""
    last = node.body.body[-1]
    statement = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    if isinstance(statement, cst.Raise | cst.Return | cst.Continue) and node.orelse is None:
        yield node.with_changes(test=cst.Name("False"))


def name_swapped(node: cst.Name) -> Iterator[cst.Name]:
    """`min` for `max`, one way of rounding for another."""
    if node.value in SWAPPED_NAMES:
        yield node.with_changes(value=SWAPPED_NAMES[node.value])


OPERATORS = [*mutation_operators, (cst.If, guard_off), (cst.Name, name_swapped)]


class _Places(cst.CSTVisitor):
    """Collects (node, changed node, operator) in one module."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[cst.CSTNode, cst.CSTNode, str]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _is_left_out(node):
            return False
        if isinstance(node, cst.ClassDef):
            node.body.visit(self)
            return False
        for kind, operator in OPERATORS:
            if isinstance(node, kind):
                made = list(operator(node))
                # A second spelling of the same text would be found by the same test.
                made = made[:1] if operator is operator_string else made
                name = _kind(operator.__name__, node)
                self.found += [(node, new, name) for new in made if not _is_wording(node, new)]
        return True


def _kind(operator: str, node: cst.CSTNode) -> str:
    """Each comparison and each sign is a kind of its own: they decide the most."""
    changed = getattr(node, "operator", None)
    name = operator.removeprefix("operator_")
    return f"{name} {type(changed).__name__}" if name == "swap_op" and changed else name


def _is_left_out(node: cst.CSTNode) -> bool:
    match node:
        case cst.Annotation() | cst.Decorator() | cst.Import() | cst.ImportFrom():
            return True
        case cst.Call(func=cst.Name(value=name)):
            return name in TYPE_CALLS
        case cst.SimpleString() | cst.FormattedString() | cst.ConcatenatedString():
            return _is_sentence(node)
        case cst.Expr(value=cst.SimpleString()):
            return True
        case _:
            return False


def _is_sentence(node: cst.CSTNode) -> bool:
    return (
        isinstance(node, cst.SimpleString) and (" " in node.value or node.value in {'""', "''"})
    ) or isinstance(node, cst.FormattedString | cst.ConcatenatedString)


def _is_idle(case: cst.MatchCase) -> bool:
    return all(
        isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.Pass)
        for line in case.body.body
    )


def _is_wording(node: cst.CSTNode, new: cst.CSTNode) -> bool:
    """Whether only a sentence went away, or a case that does nothing."""
    if isinstance(node, cst.Match) and isinstance(new, cst.Match):
        kept = {id(case) for case in new.cases}
        return any(id(case) not in kept and _is_idle(case) for case in node.cases)
    if not (isinstance(node, cst.Call) and isinstance(new, cst.Call)):
        return False
    kept = {id(argument) for argument in new.args}
    return any(id(part) not in kept and _is_sentence(part.value) for part in node.args)


class Site(Struct, frozen=True):
    """A place and what would stand there; only those that are taken become a mutant's text."""

    file: str
    number: int
    kind: str
    line: int
    end_line: int
    module: cst.Module
    node: cst.CSTNode
    new: cst.CSTNode

    def text(self) -> str:
        """The whole file with the change."""
        return self.module.deep_replace(self.node, self.new).code

    def mutant(self) -> Mutant | None:
        """The mutant, or None where the change means nothing, or is no Python."""
        before = self.module.code
        after = self.text()
        meaning = _meaning(after)
        if meaning is None or meaning == _meaning(before):
            return None
        return Mutant(f"{self.file}#{self.number}", self.kind, self.file, before, after)


def sites(file: str, text: str) -> list[Site]:
    """Every change of a text, in the order of the text."""
    wrapper = MetadataWrapper(cst.parse_module(text))
    places = _Places()
    wrapper.visit(places)
    positions = wrapper.resolve(PositionProvider)
    return [
        Site(
            file=file,
            number=number,
            kind=kind,
            line=positions[node].start.line,
            end_line=positions[node].end.line,
            module=wrapper.module,
            node=node,
            new=new,
        )
        for number, (node, new, kind) in enumerate(places.found, start=1)
    ]


def made(file: str, after: str) -> bool:
    """Whether the generator can turn a file into this text."""
    before = (ROOT / file).read_text()
    line = first_difference(before, after)
    # What starts and ends elsewhere need not be written out to be told from this one.
    near = [site for site in sites(file, before) if site.line <= line <= site.end_line]
    return any(site.text() == after for site in near)


def _meaning(text: str) -> str | None:
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


def sample(*, count: int, seed: int, only: str = "") -> list[Mutant]:
    """So many mutants of the pure files: each kind has an equal share, as far as it goes.

    Most places are arguments, whose loss nearly every test notices; without shares they would
    crowd out the comparisons.
    """
    by_kind: dict[str, list[Site]] = defaultdict(list)
    for file in pure_files():
        if only in file:
            for site in sites(file, (ROOT / file).read_text()):
                by_kind[site.kind].append(site)
    chance = random.Random(seed)
    for kind in sorted(by_kind):
        chance.shuffle(by_kind[kind])
    chosen: dict[tuple[str, str], Mutant] = {}
    for site in _in_turns([by_kind[kind] for kind in sorted(by_kind)]):
        if len(chosen) == count:
            break
        if (mutant := site.mutant()) is not None:
            chosen.setdefault((mutant.file, mutant.after), mutant)
    return list(chosen.values())


def _in_turns(groups: list[list[Site]]) -> Iterator[Site]:
    for turn in zip_longest(*groups):
        yield from (site for site in turn if site is not None)
