"""What a subscription's status allows; without a database."""

import pytest

from monigo.core.errors import DomainError
from monigo.subscriptions import PauseReason, Status
from monigo.subscriptions.rules import check_can_cancel, check_can_pause, check_can_resume
from support.values import START, subscription

CANCELED = {"status": Status.CANCELED, "canceled_at": START}
PAUSED = {"status": Status.PAUSED, "pause_reason": PauseReason.MERCHANT}


@pytest.mark.parametrize(
    ("check", "said", "code"),
    [
        (check_can_pause, PAUSED, "subscription_not_active"),
        (check_can_pause, CANCELED, "subscription_not_active"),
        (check_can_resume, CANCELED, "subscription_canceled"),
        (
            check_can_resume,
            {"status": Status.PAUSED, "pause_reason": PauseReason.DUNNING},
            "subscription_paused_by_system",
        ),
        (check_can_cancel, CANCELED, "subscription_canceled"),
    ],
)
def test_what_a_status_does_not_allow_is_a_conflict(check, said, code):
    with pytest.raises(DomainError) as refused:
        check(subscription(**said))

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("check", "said"),
    [
        *((check_can_pause, {}), (check_can_resume, PAUSED)),
        *((check_can_cancel, {}), (check_can_cancel, PAUSED)),
    ],
)
def test_what_a_status_allows_passes(check, said):
    check(subscription(**said))
