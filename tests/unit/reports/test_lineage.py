"""Who copied whom, and from whom the best member descends."""

from uuid import UUID

from rlsweep.reports.lineage import Exploit, MemberState, Stretch, changes_of, lineage
from rlsweep.runs import RunStatus


def member(number: int, end: int = 300) -> MemberState:
    return MemberState(
        number=number,
        run_id=UUID(int=number),
        config=f"c{number}",
        status=RunStatus.COMPLETED,
        env_steps=end,
        score=1.0,
    )


def copied(member: int, source: int, at: int) -> Exploit:
    return Exploit(member=member, source=source, env_steps=at, changes=())


MEMBERS = [member(number) for number in (1, 2, 3, 4)]


def descent(best: int, *exploits: Exploit) -> list[tuple[int, int, int]]:
    found = lineage(MEMBERS, exploits, 100, best)
    return [(part.member, part.start, part.end) for part in found.descent]


def test_the_way_of_the_best_goes_back_over_its_sources() -> None:
    exploits = (copied(3, 2, 200), copied(2, 1, 100), copied(4, 3, 100), copied(1, 4, 200))
    assert descent(3, *exploits) == [(1, 0, 100), (2, 100, 200), (3, 200, 300)]
    # what member 3 was before it became a copy does not matter, and neither does a later copy of its source
    assert descent(4, *exploits) == [(3, 0, 100), (4, 100, 300)]
    assert descent(1, *exploits) == [(3, 0, 100), (4, 100, 200), (1, 200, 300)]


def test_a_member_that_never_copied_is_its_own_way() -> None:
    assert descent(2) == [(2, 0, 300)]
    assert descent(2, copied(1, 2, 100)) == [(2, 0, 300)]


def test_a_copy_that_has_not_trained_yet_is_what_it_copied() -> None:
    assert descent(2, copied(2, 1, 300)) == [(1, 0, 300), (2, 300, 300)]


def test_without_a_best_there_is_no_way() -> None:
    found = lineage(MEMBERS[:2], [copied(2, 1, 200), copied(1, 2, 100)], 100, None)
    assert found.descent == ()
    assert [each.env_steps for each in found.exploits] == [100, 200]
    assert found.env_steps == 300


def test_changes_are_the_values_that_differ() -> None:
    before = {"learning_rate": 1e-3, "gamma": 0.9, "ppo.target_kl": None}
    (one, other) = changes_of(before, {"learning_rate": 8e-4, "gamma": 0.9, "ppo.target_kl": 0.1})
    assert (one.key, one.before, one.after) == ("learning_rate", 1e-3, 8e-4)
    assert (other.key, other.before, other.after) == ("ppo.target_kl", None, 0.1)


def test_stretches_are_whole() -> None:
    assert lineage(MEMBERS, [], 100, 1).descent == (Stretch(member=1, start=0, end=300),)
