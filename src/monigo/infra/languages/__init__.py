"""The languages that customers are written to in: texts, plurals, amounts and dates."""

from monigo.infra.languages.catalogue import CODES, USUAL, Language, language_of

__all__ = ["CODES", "USUAL", "Language", "language_of"]
