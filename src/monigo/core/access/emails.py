"""E-mail addresses: how they are compared, and which ones are taken."""

import re

EMAIL_LENGTH_MAX = 254

# What mail servers take without extensions, without the quoted forms that nobody has. The part
# before the @ has 64 characters at most: RFC 5321, 4.5.3.1.1.
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)


def spelled(email: str) -> str:
    """An e-mail in the one spelling by which it is compared."""
    return email.strip().lower()


def email_fault(email: str) -> str | None:
    """What is wrong with an e-mail in its one spelling; None for nothing."""
    is_dotted_well = not re.search(r"^\.|\.\.|\.@", email)
    if len(email) <= EMAIL_LENGTH_MAX and _EMAIL.fullmatch(email) and is_dotted_well:
        return None
    return "must be an e-mail address such as ada@example.com"
