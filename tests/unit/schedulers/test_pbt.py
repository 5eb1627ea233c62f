"""Who becomes a copy of whom, and who waits."""

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.jsonable import jsonable
from rlsweep.schedulers.pbt import decide, fewest_compared
from rlsweep.schedulers.pbt_records import Member, PbtRecord, PbtSettings, PbtStop, Reached, Stage

EIGHT = PbtSettings(population=8, interval=100, intervals=3, seed=5)


def at_first(number: int, score: float | None, stage: Stage = Stage.WAITING, *, can_be_copied: bool = True) -> Member:
    """A member that trained to the first interval, and waits there or trains to the second."""
    reached = (Reached(interval=1, score=score, can_be_copied=can_be_copied),)
    return Member(number=number, stage=stage, interval=1 if stage is Stage.WAITING else 2, reached=reached)


def on_the_way(number: int, stage: Stage = Stage.TRAINING) -> Member:
    return Member(number=number, stage=stage, interval=1)


def of(*members: Member) -> PbtRecord:
    return PbtRecord(members=members)


def test_the_lowest_quarter_copies_the_highest() -> None:
    record = of(*(at_first(number, float(number)) for number in range(1, 9)))
    found = decide(EIGHT, record, free=8)
    sources = {step.member: step.source for step in found.steps}
    assert [number for number, source in sources.items() if source is None] == [3, 4, 5, 6, 7, 8]
    assert {sources[1], sources[2]} <= {7, 8}
    drawn = {decide(replace(EIGHT, seed=seed), record, free=1).steps[0].source for seed in range(20)}
    assert drawn == {7, 8}, "either of the best may be drawn"
    assert found.stop is None


@pytest.mark.parametrize(
    ("members", "steps"),
    [
        ([at_first(1, 1.0), at_first(2, 2.0), at_first(3, 3.0)], {}),  # three of eight: they wait
        ([at_first(1, 1.0), at_first(2, 2.0), at_first(3, 3.0), at_first(4, 4.0)], {1: 4, 2: None, 3: None, 4: None}),
        ([at_first(1, 1.0), at_first(2, 1.0), at_first(3, 1.0), at_first(4, 1.0)], dict.fromkeys([1, 2, 3, 4])),
        ([at_first(1, None), at_first(2, 2.0), at_first(3, 3.0), at_first(4, 4.0)], {1: None, 2: 4, 3: None, 4: None}),
        (
            [*(at_first(each, each, can_be_copied=each < 4) for each in (1, 2, 3, 4))],  # the best is a copy itself
            dict.fromkeys([1, 2, 3, 4]),
        ),
        (
            [at_first(2, 2.0, Stage.TRAINING), at_first(3, 3.0), at_first(4, 4.0), at_first(5, 5.0)],
            {3: None, 4: None, 5: None},  # the lowest went on, and the others are compared with its score
        ),
        ([at_first(1, 1.0), at_first(2, 2.0), on_the_way(3, Stage.FAILED)], {1: 2, 2: None, 3: 2}),
    ],
)
def test_a_member_is_compared_with_those_that_came_to_its_interval(members, steps) -> None:
    others = [] if members[-1].stage is Stage.FAILED else [on_the_way(number) for number in range(6, 9)]
    found = decide(EIGHT, of(*members, *others), free=9)
    assert {step.member: step.source for step in found.steps} == steps


def test_nobody_waits_for_one_that_failed() -> None:
    settings = replace(EIGHT, population=4)
    assert fewest_compared(settings) == 4
    waiting = [at_first(1, 1.0), at_first(2, 2.0), at_first(3, 3.0)]
    assert decide(settings, of(*waiting, on_the_way(4)), free=4).steps == ()
    found = decide(settings, of(*waiting, on_the_way(4, Stage.FAILED)), free=4)
    assert {step.member: step.source for step in found.steps} == {1: 3, 2: None, 3: None, 4: 3}


def test_it_ends_once_nothing_trains_and_nothing_can_be_copied() -> None:
    dead = [on_the_way(number, Stage.FAILED) for number in range(1, 9)]
    assert decide(EIGHT, of(*dead), free=1).stop is PbtStop.FAILED
    at_the_end = [replace(each, stage=Stage.ENDED, interval=4) for each in dead]
    assert decide(EIGHT, of(*at_the_end), free=1).stop is PbtStop.DONE
    assert decide(EIGHT, of(*dead[1:], replace(dead[0], stage=Stage.TRAINING)), free=1).stop is None


scores = st.none() | st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0])


@st.composite
def members(draw: st.DrawFn, number: int) -> Member:
    """A member somewhere on its way through three intervals; it skipped one if it failed there and became a copy."""
    interval = draw(st.integers(1, 4))
    stage = draw(st.sampled_from(Stage if interval <= 3 else [Stage.TRAINING, Stage.FAILED, Stage.ENDED]))
    if stage is Stage.ENDED:
        interval = 4
    came = [each for each in range(1, interval) if draw(st.integers(0, 5))]
    came += [interval] if stage is Stage.WAITING else []
    reached = tuple(
        Reached(interval=each, score=draw(scores), can_be_copied=bool(draw(st.integers(0, 4)))) for each in came
    )
    return Member(number=number, stage=stage, interval=interval, reached=reached)


records = (
    st.integers(4, 9)
    .flatmap(lambda count: st.tuples(*map(members, range(1, count + 1))))
    .map(lambda found: PbtRecord(members=found))
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(records, st.integers(1, 9), st.integers(0, 3))
def test_any_record_gives_a_sound_decision(record: PbtRecord, free: int, seed: int) -> None:
    asked = PbtSettings(population=len(record.members), interval=100, intervals=3, seed=seed)
    found = decide(asked, record, free=free)
    assert decide(asked, record, free=free) == found
    assert json.loads(json.dumps(jsonable(found), allow_nan=False)) == jsonable(found)
    assert len(found.steps) <= free
    everything = decide(asked, record, free=99)
    assert everything.steps[:free] == found.steps, "slots do not change what a member does"
    by_number = {member.number: member for member in record.members}
    for step in found.steps:
        member = by_number[step.member]
        assert member.stage in (Stage.WAITING, Stage.FAILED)
        assert step.interval == member.interval <= asked.intervals
        if step.source is None:
            continue
        compared = [each for other in record.members if (each := other.at(step.interval)) and each.score is not None]
        count = max(1, len(compared) // 4)
        source = by_number[step.source].at(step.interval)
        assert source is not None
        assert source.score is not None
        assert source.can_be_copied
        assert sum(each.score > source.score for each in compared) < count, "copied from the highest share"
        own = member.at(step.interval)
        if member.stage is Stage.WAITING:
            assert own is not None
            assert own.score is not None
            assert own.score < source.score
            assert sum(each.score < own.score for each in compared) < count, "only the lowest share copies"
    waiting = [member for member in record.members if member.stage is Stage.WAITING]
    if waiting and not any(member.stage is Stage.TRAINING for member in record.members):
        assert found.steps, "somebody can always go on"
    assert found.stop is None or not (waiting or found.steps)
