"""CSV for spreadsheets and other programs: lines of text, and cells that nothing runs."""

import csv
import io
from collections.abc import Iterable, Sequence

# Spreadsheets set to Chinese, Japanese or Korean take these for the plain ones.
_FULL_WIDTH = (
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)
# What makes a spreadsheet take text for a formula, which could send its neighbours elsewhere; some
# look behind white space, too.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", *_FULL_WIDTH)

# Marks a file as UTF-8 for spreadsheets; other programs would read it as part of the first cell.
BYTE_ORDER_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


def plain_text(text: str) -> str:
    """Text that no spreadsheet takes for a formula: what looks like one gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def csv_lines(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()
