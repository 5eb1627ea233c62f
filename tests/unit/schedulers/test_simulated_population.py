"""Populations whose members come in any order and fail at random: what holds whatever happens."""

from dataclasses import dataclass, field
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from rlsweep.schedulers.pbt import decide
from rlsweep.schedulers.pbt_records import Member, PbtRecord, PbtSettings, PbtStop, Reached, Stage, Step

Weights = tuple[tuple[int, int], ...]
"""What led to a policy: member and number of each interval that it trained."""


@dataclass
class Simulated:
    """A member; interval: to which it trains, or at which it waits."""

    number: int
    stage: Stage = Stage.TRAINING
    interval: int = 1
    weights: Weights = ()
    scores: dict[int, float | None] = field(default_factory=dict)
    at: dict[int, Weights] = field(default_factory=dict)
    copied: set[int] = field(default_factory=set)

    def as_record(self) -> Member:
        reached = tuple(
            Reached(interval=interval, score=score, can_be_copied=interval not in self.copied)
            for interval, score in self.scores.items()
        )
        return Member(number=self.number, stage=self.stage, interval=self.interval, reached=reached)


class Population:
    """Trains members one after the other, as slots allow."""

    def __init__(self, asked: PbtSettings, draws: Random, *, slots: int, fails: float) -> None:
        self.settings, self.draws, self.slots, self.fails = asked, draws, slots, fails
        self.members = [Simulated(number) for number in range(1, asked.population + 1)]
        self.pending = list(self.members)
        self.training: list[Simulated] = []
        self.copies = 0

    def run(self) -> PbtStop:
        for _ in range(10_000):
            while self.pending and len(self.training) < self.slots:
                self.training.append(self.pending.pop(0))
            if len(self.training) < self.slots:
                record = PbtRecord(members=tuple(member.as_record() for member in self.members))
                found = decide(self.settings, record, free=self.slots - len(self.training))
                for step in found.steps:
                    self.take(step)
                if found.stop is not None:
                    return found.stop
                if found.steps:
                    continue
            assert self.training, "nothing trains, and nothing is decided"
            self.end(self.training.pop(self.draws.randrange(len(self.training))))
        raise AssertionError("it does not end")

    def end(self, member: Simulated) -> None:
        if self.draws.random() < self.fails:
            member.stage = Stage.FAILED
            return
        member.weights = (*member.weights, (member.number, member.interval))
        if member.interval > self.settings.intervals:
            member.stage = Stage.ENDED
            return
        member.stage = Stage.WAITING
        member.scores[member.interval] = self.draws.choice([None, 0.0, self.draws.random()])
        member.at[member.interval] = member.weights

    def take(self, step: Step) -> None:
        member = self.members[step.member - 1]
        assert step.interval == member.interval
        if step.source is not None:
            source = self.members[step.source - 1]
            assert step.interval not in source.copied
            member.weights = source.at[step.interval]
            member.copied.add(step.interval)
            self.copies += 1
        else:
            assert member.stage is Stage.WAITING, "one that failed has no weights of this interval"
        member.stage, member.interval = Stage.TRAINING, member.interval + 1
        self.pending.append(member)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.integers(4, 12), st.integers(1, 5), st.integers(1, 12), st.sampled_from([0.0, 0.05, 0.4]), st.integers(0, 99))
def test_every_member_trains_all_of_its_budget_or_fails(
    members: int, intervals: int, slots: int, fails: float, seed: int
) -> None:
    asked = PbtSettings(population=members, interval=10, intervals=intervals, seed=seed)
    population = Population(asked, Random(seed), slots=slots, fails=fails)
    stop = population.run()
    ended = [member for member in population.members if member.stage is Stage.ENDED]
    assert stop is (PbtStop.DONE if ended else PbtStop.FAILED)
    assert all(member.stage in (Stage.ENDED, Stage.FAILED) for member in population.members)
    if not fails:
        assert len(ended) == members
    for member in ended:
        trained = [interval for _, interval in member.weights]
        assert trained == list(range(1, intervals + 2)), "each part of the budget once, whoever trained it"


def test_copies_are_made() -> None:
    asked = PbtSettings(population=8, interval=10, intervals=5)
    populations = [Population(asked, Random(seed), slots=3, fails=0.0) for seed in range(20)]
    for population in populations:
        population.run()
    assert all(population.copies for population in populations)
