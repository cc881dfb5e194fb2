"""Batching: each item is answered once, in order, and suffers from no other and no other tenant."""

import asyncio
import gc
import weakref
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monigo.core.errors import DomainError, ErrorKind, InvariantError
from monigo.core.ids import OrganizationId
from monigo.infra.batching import Batcher, BatchLimits
from monigo.infra.db import Tenant

FIRST, SECOND, THIRD = (Tenant(OrganizationId(UUID(int=n)), is_test=False) for n in (1, 2, 3))


def limits(**changed):
    usual = {
        "flushes_max": 1,
        "flush_count_max": 100,
        "flush_bytes_max": 1_000,
        "waiting_count_max": 1_000,
    }
    return BatchLimits(**usual | changed)


class Desk:
    """A batcher whose flushes end when the test says so, and what they were given."""

    def __init__(self, *, may_be_of_one=lambda error: isinstance(error, ValueError), **changed):
        self.batcher = Batcher(self.flush, limits(**changed), may_be_of_one=may_be_of_one)
        self.groups = []
        self.gates = []
        self.is_open = False

    async def flush(self, _tenant, items):
        self.groups.append([*items])
        if not self.is_open:
            gate = asyncio.get_running_loop().create_future()
            self.gates.append(gate)
            await gate
        for item in items:
            if isinstance(item, BaseException):
                raise item
        return [f"{item} done" for item in items]

    def submit(self, item, tenant=FIRST, **how):
        return asyncio.ensure_future(self.batcher.submit(tenant, item, **how))

    async def open(self, number=None):
        """Let one flush end, or all of them from now on."""
        await settled()
        if number is None:
            self.is_open = True
        for gate in self.gates if number is None else [self.gates[number]]:
            if not gate.done():
                gate.set_result(None)
        await settled()


async def settled():
    for _ in range(20):
        await asyncio.sleep(0)


def run(story):
    return asyncio.run(asyncio.wait_for(story(), 20))


def test_an_idle_batcher_flushes_at_once_and_a_busy_one_gathers():
    async def story():
        desk = Desk()
        answers = [desk.submit("a")]
        await settled()
        assert desk.groups == [["a"]]

        answers += [desk.submit(item) for item in "bcd"]
        await settled()
        assert desk.groups == [["a"]]
        await desk.open()

        assert desk.groups == [["a"], ["b", "c", "d"]]
        assert await asyncio.gather(*answers) == ["a done", "b done", "c done", "d done"]

    run(story)


def test_no_more_flushes_of_a_tenant_are_under_way_than_allowed():
    async def story():
        desk = Desk(flushes_max=2, flush_count_max=1)
        answers = [desk.submit(item) for item in "abc"]
        await settled()

        assert desk.groups == [["a"], ["b"]]
        await desk.open(1)
        assert desk.groups == [["a"], ["b"], ["c"]]
        await desk.open()
        assert await asyncio.gather(*answers) == ["a done", "b done", "c done"]

    run(story)


def test_a_flush_begins_beside_another_once_enough_waits_for_it():
    async def story():
        desk = Desk(flushes_max=2, beside_count_min=3)
        answers = [desk.submit("a")]
        await settled()
        answers += [desk.submit(item) for item in "bc"]
        await settled()
        assert desk.groups == [["a"]]

        answers += [desk.submit("d")]
        await settled()
        assert desk.groups == [["a"], ["b", "c", "d"]]
        await desk.open()
        await asyncio.gather(*answers)

    run(story)


def test_what_is_too_little_for_two_flushes_goes_with_one():
    async def story():
        desk = Desk(flushes_max=2, beside_count_min=3)
        answers = [desk.submit(item, subject=item) for item in "abcde"]
        await settled()
        assert desk.groups == [["a", "b", "c", "d", "e"]]

        answers += [desk.submit(item, subject=item) for item in "fghijklmn"]
        await settled()
        answers += [desk.submit(item, subject=item) for item in "xy"]
        assert desk.groups[1:] == [[*"fghijklmn"]]
        await desk.open(1)
        assert desk.groups[2:] == []
        await desk.open(0)
        assert desk.groups[2:] == [["x", "y"]]
        await desk.open()
        await asyncio.gather(*answers)

    run(story)


def test_six_are_shared_by_two_flushes_of_three_each():
    async def story():
        desk = Desk(flushes_max=2, beside_count_min=3)
        answers = [desk.submit(item, subject=item) for item in "abcdef"]
        await settled()

        assert desk.groups == [[*"abc"], [*"def"]]
        await desk.open()
        await asyncio.gather(*answers)

    run(story)


def test_a_group_holds_no_more_than_a_flush_may():
    async def story():
        desk = Desk(flush_count_max=10, flush_bytes_max=100)
        desk.is_open = True
        await asyncio.gather(
            desk.submit("six", count=6),
            desk.submit("five", count=5),
            desk.submit("huge", count=11, size_bytes=2),
            desk.submit("broad", size_bytes=60),
            desk.submit("narrow", size_bytes=40),
            desk.submit("byte", size_bytes=1),
        )

        assert desk.groups == [["six"], ["five"], ["huge"], ["broad", "narrow"], ["byte"]]

    run(story)


def test_items_are_flushed_in_the_order_they_came():
    async def story():
        desk = Desk(flush_count_max=7)
        desk.is_open = True

        await asyncio.gather(*(desk.submit(number) for number in range(50)))

        assert [item for group in desk.groups for item in group] == [*range(50)]

    run(story)


def test_one_subject_is_never_in_two_flushes_at_once_and_keeps_its_order():
    async def story():
        desk = Desk(flushes_max=3)
        answers = [desk.submit("a1", subject="a")]
        await settled()
        answers += [desk.submit("a2", subject="a"), desk.submit("b1", subject="b")]
        answers += [desk.submit("a3", subject="a")]
        await settled()

        assert desk.groups == [["a1"], ["b1"]]
        await desk.open()
        assert desk.groups == [["a1"], ["b1"], ["a2", "a3"]]
        assert len(await asyncio.gather(*answers)) == 4

    run(story)


def test_a_subject_with_more_than_a_flush_takes_lets_the_others_go_first():
    async def story():
        desk = Desk(flush_count_max=2)
        busy = [desk.submit(f"busy{number}", subject="busy") for number in range(5)]
        quiet = desk.submit("quiet", subject="quiet")
        await settled()
        await desk.open()

        assert desk.groups == [
            ["busy0", "busy1"],
            ["quiet", "busy2"],
            ["busy3", "busy4"],
        ]
        assert len(await asyncio.gather(*busy, quiet)) == 6

    run(story)


def test_the_subjects_that_wait_are_shared_among_the_flushes():
    async def story():
        desk = Desk(flushes_max=2)
        answers = [desk.submit(name, subject=name) for name in "abcd"]
        await settled()

        assert desk.groups == [["a", "b"], ["c", "d"]]
        await desk.open()
        await asyncio.gather(*answers)

    run(story)


def test_a_flush_that_hangs_keeps_no_other_tenant_waiting():
    async def story():
        desk = Desk()
        stuck = [desk.submit(number) for number in range(50)]
        await settled()
        other = desk.submit("other", SECOND)
        await settled()
        assert desk.groups == [[*range(50)], ["other"]]

        await desk.open(1)

        assert await other == "other done"
        assert not any(answer.done() for answer in stuck)
        await desk.open()
        await asyncio.gather(*stuck)

    run(story)


def test_what_one_tenant_lets_wait_leaves_room_for_the_next():
    async def story():
        desk = Desk(waiting_count_max=100, flush_count_max=1)
        running = [desk.submit("running", tenant) for tenant in (FIRST, SECOND, THIRD)]
        await settled()
        taken = {}
        waiting = []
        for tenant in (FIRST, SECOND, THIRD):
            tried = [desk.submit(number, tenant) for number in range(100)]
            await settled()
            refused = [answer for answer in tried if answer.done()]
            assert {answer.exception().code for answer in refused} == {"overloaded"}
            taken[tenant] = len(tried) - len(refused)
            waiting += [answer for answer in tried if not answer.done()]

        assert [*taken.values()] == [50, 25, 12]
        await desk.open()
        await asyncio.gather(*running, *waiting)
        again = [desk.submit(number) for number in range(50)]
        assert len(await asyncio.gather(*again)) == 50

    run(story)


def test_what_can_fail_for_one_item_is_tried_with_each_alone():
    async def story():
        desk = Desk()
        answers = [desk.submit("running")]
        await settled()
        answers += [desk.submit(item) for item in ("a", ValueError("bad"), "b")]
        await desk.open()

        told = await asyncio.gather(*answers, return_exceptions=True)

        assert [str(answer) for answer in told] == ["running done", "a done", "bad", "b done"]
        assert [len(group) for group in desk.groups] == [1, 3, 1, 1, 1]

    run(story)


def test_what_fails_for_all_is_tried_once_and_told_to_all():
    async def story():
        desk = Desk()
        answers = [desk.submit("running")]
        await settled()
        answers += [desk.submit(item) for item in ("a", KeyError("all"), "b")]
        await desk.open()

        told = await asyncio.gather(*answers, return_exceptions=True)

        assert [type(answer) for answer in told] == [str, KeyError, KeyError, KeyError]
        assert [len(group) for group in desk.groups] == [1, 3]
        assert await desk.submit("later") == "later done"

    run(story)


def test_a_database_that_is_away_is_told_as_such_and_not_tried_with_each():
    async def story():
        desk = Desk(may_be_of_one=lambda _: True)
        desk.is_open = True
        answers = [desk.submit(item) for item in ("a", asyncpg.CannotConnectNowError("away"))]

        told = await asyncio.gather(*answers, return_exceptions=True)

        assert {answer.kind for answer in told} == {ErrorKind.UNAVAILABLE}
        assert len(desk.groups) == 1

    run(story)


def test_a_flush_that_forgets_an_item_fails_its_group():
    async def story():
        async def flush(_tenant, items):
            return [*items][1:]

        batcher = Batcher(flush, limits(), may_be_of_one=lambda _: False)
        with pytest.raises(InvariantError):
            await batcher.submit(FIRST, "a")

    run(story)


def test_an_item_whose_caller_goes_away_while_it_waits_is_not_flushed():
    async def story():
        desk = Desk()
        answers = [desk.submit(item) for item in "ab"]
        await settled()
        waiting = [desk.submit(item) for item in "cde"]
        await settled()
        answers[0].cancel()
        waiting[1].cancel()
        await desk.open()

        assert desk.groups == [["a", "b"], ["c", "e"]]
        assert await asyncio.gather(answers[1], waiting[0], waiting[2]) == [
            *("b done", "c done", "e done")
        ]
        assert await desk.submit("later") == "later done"

    run(story)


def test_callers_that_all_go_away_leave_their_room_to_others():
    async def story():
        desk = Desk(waiting_count_max=20)
        for _ in range(5):
            desk.is_open = False
            running = desk.submit("running")
            await settled()
            gone = [desk.submit(number) for number in range(10)]
            await settled()
            for answer in gone:
                answer.cancel()
            await desk.open()
            assert await running == "running done"

        answers = [desk.submit(number) for number in range(10)]

        assert len(await asyncio.gather(*answers)) == 10
        assert [len(group) for group in desk.groups] == [1, 1, 1, 1, 1, 10]

    run(story)


def test_nothing_of_a_refused_item_is_kept():
    class Payload(list):
        """A list that can be referred to weakly."""

    async def flush(_tenant, items):
        return [DomainError(ErrorKind.INVALID, "bad", "bad") for _ in items]

    async def story():
        batcher = Batcher(flush, limits(), may_be_of_one=lambda _: False)
        payload = Payload()
        kept = weakref.ref(payload)
        waiting = batcher.submit(FIRST, payload)
        del payload
        with pytest.raises(DomainError):
            await waiting
        await settled()
        return kept()

    gc.disable()
    try:
        assert run(story) is None
    finally:
        gc.enable()


@given(
    st.lists(
        st.tuples(
            st.sampled_from([FIRST, SECOND]),
            st.integers(1, 8),
            st.sampled_from([None, "a", "b", "c"]),
            st.sampled_from(["good", "good", "bad", "cancelled"]),
            st.booleans(),
        ),
        max_size=40,
    ),
    st.integers(1, 3),
)
def test_every_item_is_done_once_or_told_why_not(items, flushes_max):
    done = []
    under_way = set()

    async def flush(tenant, group):
        subjects = {(tenant, item[2]) for _, item in group if item[2]}
        assert not subjects & under_way
        under_way.update(subjects)
        await asyncio.sleep(0)
        under_way.difference_update(subjects)
        if any(item[3] == "bad" for _, item in group):
            raise ValueError
        done.extend(number for number, _ in group)
        return [number for number, _ in group]

    async def story():
        batcher = Batcher(
            flush,
            limits(flushes_max=flushes_max, flush_count_max=10),
            may_be_of_one=lambda error: isinstance(error, ValueError),
        )
        answers = []
        for number, item in enumerate(items):
            tenant, count, subject, what, pauses = item
            answer = asyncio.ensure_future(
                batcher.submit(tenant, (number, item), count=count, subject=subject)
            )
            answers.append(answer)
            if pauses:
                await asyncio.sleep(0)
            if what == "cancelled":
                answer.cancel()
        return await asyncio.gather(*answers, return_exceptions=True)

    told = run(story)

    wanted = [number for number, item in enumerate(items) if item[3] == "good"]
    assert [answer for answer in told if isinstance(answer, int)] == wanted
    assert len(set(done)) == len(done)
    assert {*wanted} <= {*done}
    assert [type(answer) for answer, item in zip(told, items, strict=True) if item[3] == "bad"] == [
        ValueError for item in items if item[3] == "bad"
    ]
