"""Content-Security-Policy: what our pages may load and run."""

import base64
import hashlib
import re

# For a page that nobody has looked at: it may load nothing.
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'"

_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


def content_policy(page: bytes) -> str:
    """Lets a page load our own files and the schema, and run the very scripts that stand in it."""
    scripts = [hashlib.sha256(text).digest() for text in _INLINE_SCRIPT.findall(page)]
    hashes = " ".join(f"'sha256-{base64.b64encode(one).decode()}'" for one in scripts)
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline';"
        " img-src 'self' data:; font-src 'self' data:; connect-src 'self';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
