"""Wrong portal tokens: many of one address wait, and right ones never do."""

import pytest

from monigo.core.errors import DomainError
from monigo.core.rate import SECOND
from monigo.portal_access import PortalTokens
from support.portal import Holder

WRONG = "0" * 64


class Guesses:
    """Tokens that are presented to one process, whose time the test moves."""

    def __init__(self, api):
        self.api = api
        self.now = 0
        self.tokens = PortalTokens(api.backend.services.database, lambda: self.now)

    def present(self, token, address="203.0.113.7"):
        """The code of the refusal; None where the token is one."""
        try:
            self.api.backend.run(self.tokens.find(token, address))
        except DomainError as error:
            return error.code
        return None


@pytest.fixture
def guesses(api):
    api.customer("ada")
    return Guesses(api)


def test_the_61st_wrong_token_of_an_address_within_a_minute_waits(guesses):
    codes = [guesses.present(WRONG) for _ in range(61)]

    assert set(codes[:60]) == {"invalid_portal_token"}
    assert codes[60] == "too_many_wrong_tokens"
    assert guesses.present(WRONG, "203.0.113.8") == "invalid_portal_token"


def test_a_minute_later_it_may_try_again(guesses):
    for _ in range(61):
        guesses.present(WRONG)

    guesses.now += 60 * SECOND

    assert guesses.present(WRONG) == "invalid_portal_token"


def test_a_right_token_is_never_refused_for_its_address(api, guesses):
    token = Holder(api, "ada").made["token"]
    for _ in range(100):
        guesses.present(WRONG)

    assert guesses.present(token) is None


@pytest.mark.parametrize("text", ["", "short", "g" * 64, "A" * 64])
def test_what_can_be_no_token_is_no_guess(guesses, text):
    codes = {guesses.present(text) for _ in range(61)}

    assert codes == {"invalid_portal_token"}
