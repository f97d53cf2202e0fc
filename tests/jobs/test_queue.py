"""Who gets a slot, and what those who wait are told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st
from jobs_world import World

from visionai.jobs import submit
from visionai.jobs.queue import Holder, Limits, Waiting, expected_starts, turns
from visionai.jobs.reconcile import reconcile
from visionai.jobs.tables import Job

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADA, BOB = UUID(int=1), UUID(int=2)
PROJECT = UUID(int=9)


def waits(n: int, user: UUID, minute: float, priority: int = 0, project: UUID = PROJECT) -> Waiting:
    return Waiting(UUID(int=100 + n), priority, user, project, NOON + timedelta(minutes=minute))


def numbers(order: list[UUID]) -> list[int]:
    return [job_id.int - 100 for job_id in order]


def test_nobodys_many_hold_up_anothers_first():
    many = [waits(n, ADA, n) for n in range(10)]
    late = waits(50, BOB, 60)
    assert numbers(turns([*many, late], [], Limits(), {}).order) == [0, 50, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert numbers(turns([*many, late], [Holder(ADA, PROJECT)], Limits(), {}).order)[0] == 50


def test_who_has_a_slot_already_comes_after_who_has_none():
    assert numbers(turns([waits(1, ADA, 0), waits(2, BOB, 5)], [Holder(ADA, PROJECT)], Limits(), {}).order) == [2, 1]


def test_priority_goes_before_fairness():
    high = [waits(n, ADA, 10 + n, priority=1) for n in range(3)]
    low = [waits(10, BOB, 0, priority=-1), waits(11, ADA, 0, priority=-1)]
    assert numbers(turns([*low, waits(5, BOB, 0), *high], [], Limits(), {}).order) == [0, 1, 2, 5, 10, 11]


def test_a_limit_holds_back_its_own_alone_and_says_why():
    found = turns(
        [waits(1, ADA, 0), waits(2, ADA, 1), waits(3, BOB, 2)], [Holder(ADA, PROJECT)], Limits(per_user=1), {}
    )
    assert numbers(found.order) == [3]
    assert {job.int - 100 for job in found.held_back} == {1, 2}
    assert "1 may run at once for one person" in next(iter(found.held_back.values()))
    other = UUID(int=8)
    found = turns(
        [waits(1, ADA, 0), waits(2, BOB, 1, project=other)], [Holder(BOB, PROJECT)], Limits(per_project=1), {}
    )
    assert numbers(found.order) == [2]


def test_a_start_is_foretold_from_those_that_run():
    hour = timedelta(hours=1)
    runs = [Holder(ADA, PROJECT, NOON + timedelta(minutes=m), hour) for m in (10, 30)]
    order = [UUID(int=n) for n in range(3)]
    found = expected_starts(order, runs, 2, NOON)
    assert [(found[i] - NOON).total_seconds() / 60 for i in order] == [10, 30, 70]
    assert expected_starts(order, [*runs, Holder(BOB, PROJECT)], 3, NOON) == {}
    assert expected_starts(order, runs, 0, NOON) == {}


people = st.sampled_from([ADA, BOB, UUID(int=3)])
some_waiting = st.lists(
    st.tuples(people, st.integers(-1, 1), st.integers(0, 5), st.sampled_from([PROJECT, UUID(int=8)])), max_size=12
).map(
    lambda rows: [waits(n, user, minute, priority, project) for n, (user, priority, minute, project) in enumerate(rows)]
)
some_holders = st.lists(st.builds(Holder, people, st.just(PROJECT)), max_size=4)
some_limits = st.builds(Limits, st.none() | st.integers(1, 3), st.none() | st.integers(1, 3))


def test_people_take_turns_also_when_nothing_runs():
    """With one slot nobody has anything running at the moment when it is given away."""
    many, late = [waits(n, ADA, n) for n in range(3)], waits(50, BOB, 60)
    assert numbers(turns([*many, late], [], Limits(), {ADA: NOON}).order) == [50, 0, 1, 2]
    assert numbers(turns([*many, late], [], Limits(), {ADA: NOON, BOB: NOON + timedelta(1)}).order) == [0, 50, 1, 2]


some_served = st.dictionaries(people, st.integers(0, 5).map(lambda m: NOON + timedelta(minutes=m)))


@given(some_waiting, some_holders, some_limits, some_served)
def test_everybody_has_a_turn_or_a_reason_and_taking_a_turn_keeps_the_rest_in_order(waiting, holders, limits, served):
    found = turns(waiting, holders, limits, served)
    assert sorted([*found.order, *found.held_back]) == sorted(w.id for w in waiting)
    by_id = {w.id: w for w in waiting}
    assert [by_id[i].priority for i in found.order] == sorted((by_id[i].priority for i in found.order), reverse=True)
    if found.order:
        first = by_id[found.order[0]]
        rest = [w for w in waiting if w.id != first.id]
        now = {**served, first.user_id: NOON + timedelta(days=1)}
        again = turns(rest, [*holders, Holder(first.user_id, first.project_id)], limits, now)
        assert again.order == found.order[1:]
        waits_longest = [w for w in waiting if (w.user_id, w.priority) == (first.user_id, first.priority)]
        assert min(w.queued_at for w in waits_longest if w.id in found.order) == first.queued_at


async def test_two_people_take_turns_for_one_slot(world: World) -> None:
    ada = [await world.submit(user=world.user) for _ in range(3)]
    bob = await world.submit(user=world.other)
    for job_id in (*ada, bob):
        await reconcile(world.parts, job_id)
    assert [(await world.job(i)).state for i in (*ada, bob)] == ["starting", "queued", "queued", "queued"]
    for _ in range(2):
        (running,) = world.executor.alive
        world.executor.exit(running, 0)
        async with world.parts.db.write() as session:
            await submit.cancel(session, await session.get_one(Job, UUID(running[4:40])))
        for job_id in (UUID(running[4:40]), *ada, bob):
            await reconcile(world.parts, job_id)
    assert [(await world.job(i)).state for i in (*ada, bob)] == ["cancelled", "starting", "queued", "cancelled"]


async def test_with_a_full_disk_new_trainings_wait_with_the_reason_and_start_by_themselves(
    world: World, monkeypatch
) -> None:
    full = "The disk is nearly full: 3 MB are free, 256 MB are kept. Free some space."
    monkeypatch.setattr(world.parts.storage, "short_of_room", lambda: full)
    job_id = await world.submit()
    await reconcile(world.parts, job_id)
    job = await world.job(job_id)
    assert (job.state, job.state_reason) == ("queued", f"Waiting for room. {full}")
    assert world.executor.starts == 0
    monkeypatch.undo()
    await reconcile(world.parts, job_id)
    assert (await world.job(job_id)).state == "starting"


def test_a_quota_goes_before_the_setting_for_the_person_or_project_that_has_one():
    limits = Limits(per_user=1, per_project=None, own={ADA: 2, PROJECT: 3})
    waiting = [*(waits(n, ADA, n) for n in range(3)), *(waits(n, BOB, n) for n in range(3, 6))]
    found = turns(waiting, [], limits, {})
    assert sorted(numbers(found.order)) == [0, 1, 3]
    assert sum("2 may run at once for one person" in why for why in found.held_back.values()) == 1
    assert sum("1 may run at once for one person" in why for why in found.held_back.values()) == 2
