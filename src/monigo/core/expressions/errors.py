"""What is wrong with an expression, and where."""


class ExpressionError(ValueError):
    """An expression that can't be read; the message names the column."""


def fault_at(column: int, message: str) -> ExpressionError:
    """The error for what stands at a column, counted from 1."""
    return ExpressionError(f"column {column}: {message}")
