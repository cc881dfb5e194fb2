"""tests/golden/openapi.json is the API as its users find it at /openapi.json."""

import json

import httpx

from support.golden import assert_golden


def test_the_documented_api_is_the_one_that_is_checked_in(backend):
    document = httpx.get(f"{backend.url}/openapi.json", timeout=60).json()

    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"

    assert_golden("tests/golden/openapi.json", text)
