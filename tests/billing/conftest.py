"""What tests of billing over time share."""

import pytest


@pytest.fixture
def clock(api):
    """Sends the organisation's test clock to an instant."""

    def advance(to):
        response = api.post("/v1/test-clock/advance", json={"to": to}, timeout=60)
        assert response.status_code == 200, response.text
        assert response.json()["status"] == "ready", response.text
        return response.json()["now"]

    return advance
