"""Formulas over an event's properties: read once as they are saved, worked out for each event."""

from monigo.core.expressions.errors import ExpressionError
from monigo.core.expressions.evaluating import evaluate
from monigo.core.expressions.parsing import LENGTH_MAX, parse
from monigo.core.expressions.types import Fault, Node, names_in

__all__ = ["LENGTH_MAX", "ExpressionError", "Fault", "Node", "evaluate", "names_in", "parse"]
