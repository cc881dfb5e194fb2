"""BCP 47 tags: a language, and a region if it has one."""

from babel import Locale, UnknownLocaleError

# A language and a region at their longest: more is no tag, and need not be looked up.
TAG_LENGTH_MAX = len("kok-419")
_FAULT = "must be a language, with a region if you like, such as fr or fr-SN"


def parted(tag: str) -> tuple[str, str]:
    """A tag's language and region, each in its one spelling."""
    code, _, region = tag.partition("-")
    return code.lower(), region.upper()


def tag_fault(tag: str) -> str | None:
    """What is wrong with a language's tag; None for nothing, also of languages we have not."""
    code, region = parted(tag)
    spelled = f"{code}-{region}" if region else code
    if tag != spelled or not code or "_" in tag or len(tag) > TAG_LENGTH_MAX:
        return _FAULT
    try:
        Locale.parse(spelled, sep="-")
    except (UnknownLocaleError, ValueError):
        return _FAULT
    return None
