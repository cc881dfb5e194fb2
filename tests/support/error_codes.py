"""Every refusal has a message, a code that is documented with its status, and texts by field."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs" / "error-codes.md"
ROW = re.compile(r"\| `(\w+)` \| (\d+) \|")
DOCUMENTED = {(code, int(status)) for code, status in ROW.findall(DOCUMENT.read_text())}
FIRST_FAILURE = 400


def check_refusal(response):
    """Look at an answer as it comes in: a hook of the tests' clients."""
    if response.status_code < FIRST_FAILURE or response.request.method == "HEAD":
        return
    response.read()
    body = response.json()
    # The second factor goes with what the password earned.
    more = ([], ["details"], *([["challenge"]] if body["code"] == "second_factor_required" else []))
    assert list(body)[:2] == ["error", "code"], body
    assert list(body)[2:] in more, body
    assert (body["code"], response.status_code) in DOCUMENTED, body
    details = body.get("details", {"": ""})
    assert details, body
    words = [body["error"], *details, *details.values()]
    assert all(isinstance(word, str) for word in words), body
