"""CSV for spreadsheets and other programs: lines of text, and cells that nothing runs."""

import csv
import io
from collections.abc import Iterable, Sequence

# What makes a spreadsheet take text for a formula, which could send its neighbours elsewhere.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def plain_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what looks like one gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
