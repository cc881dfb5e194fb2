"""Languages and currencies as CLDR has them: valid tags, legal tender, symbols of money."""

from monigo.core.languages.currencies import currency_of, symbol_of
from monigo.core.languages.tags import parted, tag_fault

__all__ = ["currency_of", "parted", "symbol_of", "tag_fault"]
