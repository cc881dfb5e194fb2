"""The languages that customers are written to in: texts, plurals, amounts and dates."""

from monigo.infra.languages.catalogue import CODES, USUAL, Language, language_of, tag_fault
from monigo.infra.languages.currencies import currency_of, symbol_of

__all__ = [
    "CODES",
    "USUAL",
    "Language",
    "currency_of",
    "language_of",
    "symbol_of",
    "tag_fault",
]
