"""Reads an expression's text into a tree, once, as it is saved.

comparison  sum ("=" | "!=" | "<" | "<=" | ">" | ">=") sum      the first argument of `if` only
sum         product (("+" | "-") product)*
product     factor (("*" | "/") factor)*
factor      "-" factor | number | property | "(" sum ")" | function "(" arguments ")"
"""

from decimal import Decimal

from monigo.core.expressions.errors import ExpressionError, fault_at
from monigo.core.expressions.tokens import Kind, Token, tokens_of
from monigo.core.expressions.types import (
    Choice,
    Comparison,
    Condition,
    Extreme,
    Negation,
    Node,
    Number,
    Operation,
    Operator,
    Property,
    Rounding,
)

# A formula that a person can still check; a longer one is refused before it is looked at.
LENGTH_MAX = 1_000
# Reading and working out go one call deeper with each; Python's own limit is far beyond it.
DEPTH_MAX = 32
# Each event is worth that many steps at most.
NODES_MAX = 100
# As many digits as the number in a property may have.
INTEGER_DIGITS_MAX = 18
PLACES_MAX = 12

_FUNCTIONS = ("min", "max", "round", "if")
_PLACES = {str(places): places for places in range(PLACES_MAX + 1)}
_COMPARISONS = {comparison.value: comparison for comparison in Comparison}


def parse(text: str) -> Node:
    """The tree of an expression.

    Raises:
        ExpressionError: names the column of what is wrong.
    """
    if len(text) > LENGTH_MAX:
        raise ExpressionError(f"must be at most {LENGTH_MAX} characters")
    reader = _Reader(text)
    tree = reader.sum()
    reader.expect_end()
    return tree


class _Reader:
    """Goes through the tokens of an expression once, from left to right."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens_of(text)
        self._next = next(self._tokens)
        self._nodes = 0
        self._depth = 0

    def sum(self) -> Node:
        """Products, added and subtracted from left to right."""
        node = self._product()
        while self._next.text in {"+", "-"}:
            sign = self._take()
            node = self._counted(sign, Operation(Operator(sign.text), node, self._product()))
        return node

    def expect_end(self) -> None:
        """Raise ExpressionError unless all is read."""
        if self._next.kind is not Kind.END:
            raise fault_at(self._next.column, f"{self._next.text!r} was not expected here")

    def _product(self) -> Node:
        node = self._factor()
        while self._next.text in {"*", "/"}:
            sign = self._take()
            node = self._counted(sign, Operation(Operator(sign.text), node, self._factor()))
        return node

    def _factor(self) -> Node:
        token = self._take()
        self._depth += 1
        if self._depth > DEPTH_MAX:
            raise fault_at(token.column, f"is nested more than {DEPTH_MAX} deep")
        if token.text == "-":
            node = Negation(self._factor())
        elif token.text == "(":
            node = self.sum()
            self._expect(")")
            self._depth -= 1
            return node
        elif token.kind is Kind.NUMBER:
            node = Number(_number(token))
        elif token.kind is Kind.NAME:
            node = self._call(token) if self._next.text == "(" else Property(token.text)
        else:
            expected = "a number, a property or a function is missing"
            raise fault_at(token.column, expected)
        self._depth -= 1
        return self._counted(token, node)

    def _call(self, name: Token) -> Node:
        if name.text not in _FUNCTIONS:
            known = ", ".join(_FUNCTIONS)
            raise fault_at(name.column, f"{name.text!r} is no function; there are {known}")
        self._expect("(")
        if name.text == "if":
            node: Node = self._choice()
        elif name.text == "round":
            node = self._rounding()
        else:
            node = self._extreme(name)
        self._expect(")")
        return node

    def _choice(self) -> Choice:
        left = self.sum()
        comparison = _COMPARISONS.get(self._next.text)
        if comparison is None:
            signs = " ".join(_COMPARISONS)
            raise fault_at(self._next.column, f"a comparison is missing: one of {signs}")
        sign = self._take()
        condition = Condition(comparison, left, self.sum())
        self._expect(",")
        then = self.sum()
        self._expect(",")
        self._count(sign)
        return Choice(condition, then, self.sum())

    def _rounding(self) -> Rounding:
        operand = self.sum()
        self._expect(",")
        places = self._take()
        if places.text not in _PLACES:
            raise fault_at(places.column, f"the places must be a number, 0 to {PLACES_MAX}")
        return Rounding(operand, _PLACES[places.text])

    def _extreme(self, name: Token) -> Extreme:
        items = [self.sum()]
        while self._next.text == ",":
            self._take()
            items.append(self.sum())
        return Extreme(name.text == "max", tuple(items))

    def _take(self) -> Token:
        token = self._next
        if token.kind is not Kind.END:
            self._next = next(self._tokens)
        return token

    def _expect(self, sign: str) -> None:
        token = self._take()
        if token.text != sign:
            found = "the end" if token.kind is Kind.END else repr(token.text)
            raise fault_at(token.column, f"{sign!r} is missing, found {found}")

    def _counted(self, token: Token, node: Node) -> Node:
        self._count(token)
        return node

    def _count(self, token: Token) -> None:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise fault_at(token.column, f"has more than {NODES_MAX} parts")


def _number(token: Token) -> Decimal:
    whole, _, fraction = token.text.partition(".")
    if len(whole) > INTEGER_DIGITS_MAX or len(fraction) > PLACES_MAX:
        digits = f"{INTEGER_DIGITS_MAX} digits before the point and {PLACES_MAX} after it"
        raise fault_at(token.column, f"must have at most {digits}")
    return Decimal(token.text)
