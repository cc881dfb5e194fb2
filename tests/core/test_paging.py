"""Parts of lists."""

import pytest

from monigo.core.paging import Page, PageRequest, page_of


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


@pytest.mark.parametrize(
    ("limit", "offset", "shown", "more"),
    [(2, 0, "ab", True), (2, 3, "de", False), (9, 0, "abcde", False), (2, 9, "", False)],
)
def test_a_page_of_a_whole_list_is_a_part_of_it(limit, offset, shown, more):
    page = page_of("abcde", PageRequest(limit, offset))

    assert (page.items, page.total, page.has_more) == (shown, 5, more)
