"""What failed and was set aside is listed, to whom it belongs and to the operator."""

import pytest

from monigo.cli.doctor import as_lines, list_set_aside
from monigo.core.times import format_instant
from support.agenda import Diary, entries, put, work
from support.api import Api

PATH = "/v1/set-aside"


@pytest.fixture
def failed(api, backend):
    """A kind of which two entries failed, by their subjects."""
    diary = Diary()
    diary.failing.update(put(backend, api.tenant, diary.kind, *[backend.clock.now()] * 2))
    work(backend, api.tenant, diary.task)
    return diary


def test_what_was_set_aside_is_listed_with_its_reason(api, backend, failed):
    answer = api.get(PATH).json()

    due = {row["subject"]: row["due_at"] for row in entries(backend, api.tenant, failed.kind)}
    assert (answer["count"], answer["total"], answer["has_more"]) == (2, 2, False)
    assert answer["set_aside"] == [
        {
            "kind": failed.kind.name,
            "subject_id": str(subject),
            "reason": "validation failed: subject is at fault",
            "attempts": 1,
            "next_attempt_at": format_instant(due[subject]),
        }
        for subject in sorted(failed.failing)
    ]


def test_it_comes_in_pages(api, failed):
    first, second = (api.get(PATH, params={"limit": 1, "offset": at}).json() for at in (0, 1))

    listed = [page["set_aside"][0]["subject_id"] for page in (first, second)]
    assert (first["total"], first["has_more"], second["has_more"]) == (2, True, False)
    assert listed == sorted(str(subject) for subject in failed.failing)


def test_what_is_not_tried_again_says_so(api, backend, failed):
    backend.sql(
        "UPDATE agenda SET due_at = 'infinity', runs_at = 'infinity' WHERE kind = $1",
        failed.kind.name,
    )

    listed = api.get(PATH).json()["set_aside"]

    assert {one["next_attempt_at"] for one in listed} == {None}


@pytest.mark.usefixtures("failed")
def test_nobody_else_sees_it(backend, api):
    with (
        Api.of_new_organization(backend) as other,
        Api.of(backend, api.org_id, is_test=False) as live,
    ):
        listed = [one.get(PATH).json()["set_aside"] for one in (other, live)]

    assert listed == [[], []]


def test_the_operator_sees_that_of_all_organisations(api, backend, failed):
    with Api.of_new_organization(backend) as other:
        put_aside = Diary()
        put_aside.failing.update(put(backend, other.tenant, put_aside.kind, backend.clock.now()))
        work(backend, other.tenant, put_aside.task)

    found = backend.run(list_set_aside(backend.services))

    told = {(one.tenant, one.work.subject) for one in found}
    lines = as_lines(found)
    assert {(api.tenant, one) for one in failed.failing} <= told
    assert {(other.tenant, one) for one in put_aside.failing} <= told
    assert f"{api.org_id} test: {failed.kind.name}" in lines
    assert lines.endswith(f"{len(found)} due work set aside")
    assert {one.as_json()["reason"] for one in found} >= {"validation failed: subject is at fault"}
