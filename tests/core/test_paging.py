"""Parts of lists."""

import pytest

from monigo.core.paging import Page, PageRequest


@pytest.mark.parametrize(
    ("items", "total", "offset", "more"),
    [
        ([], 0, 0, False),
        ([1, 2], 2, 0, False),
        ([1, 2], 3, 0, True),
        ([3], 3, 2, False),
        ([2], 3, 1, True),
        ([], 3, 7, False),
    ],
)
def test_a_page_says_whether_more_follows(items, total, offset, more):
    assert Page(items, total, offset).has_more is more


def test_without_a_limit_a_page_holds_ten_thousand_from_the_first_on():
    assert PageRequest() == PageRequest(limit=10_000, offset=0)
