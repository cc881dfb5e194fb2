"""What is kept of calls holds no secret, and still says what was asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.providers.redaction import TEXT_LENGTH_MAX, redacted, redacted_text

DIGITS = st.text("0123456789", min_size=10, max_size=19)


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ({"authorization_code": "AUTH_1"}, {"authorization_code": "…"}),
        ({"cardToken": "MNFY_1", "token": "t"}, {"cardToken": "…", "token": "…"}),
        ({"bvn": "12345678901", "nin": 5}, {"bvn": "…", "nin": "…"}),
        ({"otp": "123456", "authorizationCode": "1"}, {"otp": "…", "authorizationCode": "…"}),
        ({"account_number": "0690000031"}, {"account_number": "…0031"}),
        ({"destinationAccountNumber": "0690000031"}, {"destinationAccountNumber": "…0031"}),
        ({"accountNumber": 690000031}, {"accountNumber": "…0031"}),
        ({"phone": "+2348012345678"}, {"phone": "…5678"}),
        ({"authorization_url": "https://x"}, {"authorization_url": "…"}),
        ({"a": [{"link": "https://x"}]}, {"a": [{"link": "…"}]}),
        ({"account_bank": "044", "amount": 5}, {"account_bank": "044", "amount": 5}),
        ({"reference": "mo" + "1" * 30}, {"reference": "mo" + "1" * 30}),
        ({"token": None, "pin": ""}, {"token": None, "pin": ""}),
        ({"message": "card 4084 0840 8408 4081 declined"}, {"message": "card …4081 declined"}),
        ({"transactionReference": "MNFY|04|20211117112842|000170"},
         {"transactionReference": "MNFY|04|20211117112842|000170"}),
    ],
)  # fmt: skip
def test_secrets_go_and_the_rest_stays(given_, kept):
    assert redacted(given_) == kept


@given(digits=DIGITS, before=st.sampled_from(["", "to ", "(", "a: "]))
def test_long_numbers_in_a_sentence_keep_four_digits(digits, before):
    text = redacted_text(f"{before}{digits}, refused")

    assert digits not in text
    assert digits[-4:] in text


def test_what_is_kept_has_a_length():
    assert len(redacted_text("a" * 100_000)) == TEXT_LENGTH_MAX
