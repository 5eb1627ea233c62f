"""Runs that a rule decides on: how often each may be given, and when nothing is given any more."""

from collections.abc import Sequence
from uuid import UUID

import pytest

from rlsweep.driver.decided_runs import Decided, DecidedRuns
from rlsweep.driver.run_source import RESTARTS
from rlsweep.errors import DriverBusyError, StoreUnavailableError
from rlsweep.store.database import Database

ONE, TWO = UUID(int=1), UUID(int=2)


class Rule:
    """Decides what it is told to."""

    def __init__(self, *decided: Decided | Exception | None) -> None:
        self.decided = list(decided)
        self.waiting: list[UUID] = []
        self.asked: list[int] = []

    def scheduled(self) -> Sequence[UUID]:
        return self.waiting

    def decide(self, *, driver: str, free: int) -> Decided | None:
        assert driver == "me"
        self.asked.append(free)
        made = self.decided.pop(0)
        if isinstance(made, Exception):
            raise made
        self.waiting = [] if made is None else list(made.runs)
        return made


@pytest.fixture
def lost(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """The runs that were put on record as failed."""
    found: list[UUID] = []
    monkeypatch.setattr("rlsweep.store.transitions.fail_lost", lambda _, run_id, *__: found.append(run_id))
    return found


def source(rule: Rule, slots: int = 2) -> DecidedRuns:
    return DecidedRuns(Database("postgresql://nowhere"), rule, driver="me", slots=slots, on_scheduled=lambda _: None)


def test_a_run_that_pauses_again_and_again_is_given_again_and_again(lost: list[UUID]) -> None:
    rule = Rule(*(Decided(runs=[ONE, TWO]) for _ in range(3 * RESTARTS)), Decided(is_over=True))
    given = source(rule)
    for _ in range(3 * RESTARTS):
        assert [given.take(), given.take()] == [ONE, TWO]
        for run_id in (ONE, TWO):
            given.has_ended(run_id)
            rule.waiting.remove(run_id)
    assert given.take() is None
    assert given.is_exhausted
    assert lost == []
    assert set(rule.asked) == {2}


def test_a_run_that_never_begins_is_given_up(lost: list[UUID]) -> None:
    rule = Rule(Decided(runs=[ONE]), Decided(is_over=True))
    given = source(rule)
    times = 0
    while given.take() == ONE:
        given.has_ended(ONE)
        times += 1
    assert (times, lost) == (1 + RESTARTS, [ONE])


def test_nothing_is_given_while_it_waits_and_after_another_driver_took_over(lost: list[UUID]) -> None:
    given = source(Rule(None, StoreUnavailableError("away"), DriverBusyError("another")))
    for is_over in (False, False, True):
        given.has_ended(ONE)  # so that it looks again at once
        assert given.take() is None
        assert given.is_exhausted is is_over
