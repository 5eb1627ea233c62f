"""Asynchronous successive halving: which configs train on to their next rung (Li et al. 2020, MLSys, algorithm 2).

A config trains to its next rung and waits there. When slots are free, the best share of those that have reached a rung
go on to the next one, the highest rung first; where none may, the next config begins. Nothing is ever killed or begun
anew.

A config has reached a rung once all its seeds have; its score there is their mean. A config of which a seed failed is
the worst at the rung that the seed trained to, and trains no further.

The original promotes floor(configs at the rung / reduction), which is none where fewer than `reduction` come. So that
the top rung is always reached, the best goes on from a rung that nothing else can come to and none has gone on from.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Any, Self


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaSettings:
    """rungs: shares of a run's budget, rising, the last one 1; reduction: 2 or more, 1 / the share that goes on."""

    rungs: tuple[float, ...]
    reduction: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {"rungs": list(self.rungs), "reduction": self.reduction}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read back what `to_json` wrote."""
        return cls(rungs=tuple(values["rungs"]), reduction=values["reduction"])


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaRun:
    """One seed of a config.

    scores: at each rung that it has reached, from the lowest, higher is better; None where there is none, which counts
        as the worst of those that did not fail
    aim: the rung that it trains to now, from 0, or waits for a slot to train to; None while it waits at a rung, has not
        begun, or has ended
    has_failed: whether it failed on the way from its last rung to the next
    """

    scores: tuple[float | None, ...] = ()
    aim: int | None = None
    has_failed: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaRecord:
    """configs: the runs of each config, in the order of the plan; one without runs was stopped and is left out."""

    configs: tuple[tuple[AshaRun, ...], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaMove:
    """All seeds of a config train to a rung; rung 0 begins them."""

    config: int
    rung: int


class AshaStop(StrEnum):
    """Why nothing is begun any more."""

    NOTHING_LEFT = "nothing left"


@dataclass(frozen=True, kw_only=True, slots=True)
class AshaDecision:
    """What to do now.

    moves: what to begin, in this order; none and no stop: wait for what trains
    stop: why nothing is begun any more; None while it goes on. Nothing trains then
    """

    moves: tuple[AshaMove, ...] = ()
    stop: AshaStop | None = None


@dataclass(slots=True)
class _Config:
    """A config as a decision sees it.

    scores: at each rung that all its seeds have reached: their mean, -inf without one, None where one failed
    begun: how many rungs it was sent to; trains: whether any of its seeds does
    """

    place: int
    seeds: int
    scores: list[float | None]
    begun: int
    trains: bool

    @property
    def has_failed(self) -> bool:
        return None in self.scores


def shares(rungs: int, reduction: int) -> tuple[float, ...]:
    """So many rungs as shares of the budget: 1 / reduction^k, rising to 1."""
    return tuple(1 / reduction**power for power in range(rungs - 1, -1, -1))


def decide(settings: AshaSettings, record: AshaRecord, *, free: int) -> AshaDecision:
    """Say what to begin on so many free slots. It may be asked at any time.

    A config takes a slot for each of its seeds; the last one may need more than are free.
    The same settings, record and slots give the same decision.
    """
    configs = {place: _config(place, runs) for place, runs in enumerate(record.configs) if runs}
    moves: list[AshaMove] = []
    while free > 0 and (move := _next_move(settings, list(configs.values()))) is not None:
        moves.append(move)
        config = configs[move.config]
        config.begun, config.trains = move.rung + 1, True
        free -= config.seeds
    is_over = not moves and not any(config.trains for config in configs.values())
    return AshaDecision(moves=tuple(moves), stop=AshaStop.NOTHING_LEFT if is_over else None)


def ranked(record: AshaRecord, rung: int) -> list[tuple[int, float | None]]:
    """The configs that have reached a rung, best first, each with its score there; None for one of which a seed failed.

    Of equal scores the earlier config of the plan comes first. Without a score (-inf) it is above those that failed.
    """
    configs = [_config(place, runs) for place, runs in enumerate(record.configs) if runs]
    return [(config.place, config.scores[rung]) for config in _best_first(configs, rung)]


def _config(place: int, runs: Sequence[AshaRun]) -> _Config:
    scores: list[float | None] = []
    while all(_is_at(run, len(scores)) for run in runs):
        scores.append(_mean([_score(run, len(scores)) for run in runs]))
        if scores[-1] is None:
            break
    return _Config(
        place=place,
        seeds=len(runs),
        scores=scores,
        begun=max(len(run.scores) + (run.has_failed or run.aim is not None) for run in runs),
        trains=any(run.aim is not None for run in runs),
    )


def _is_at(run: AshaRun, rung: int) -> bool:
    return len(run.scores) > rung or (run.has_failed and len(run.scores) == rung)


def _score(run: AshaRun, rung: int) -> float | None:
    """Its score at a rung that it has reached; -inf without one, None where it failed."""
    if len(run.scores) == rung:
        return None
    score = run.scores[rung]
    return -inf if score is None else score


def _mean(scores: Sequence[float | None]) -> float | None:
    known = [score for score in scores if score is not None]
    return sum(known) / len(known) if len(known) == len(scores) else None


def _next_move(settings: AshaSettings, configs: Sequence[_Config]) -> AshaMove | None:
    """The best config that may go on, from the highest rung at which any may; else the next one to begin."""
    below_top = range(len(settings.rungs) - 1)
    for rung in reversed(below_top):
        at = _best_first(configs, rung)
        for config in at[: len(at) // settings.reduction]:
            if config.begun == rung + 1 and not config.has_failed:
                return AshaMove(config=config.place, rung=rung + 1)
    unbegun = next((config for config in configs if config.begun == 0), None)
    if unbegun is not None:
        return AshaMove(config=unbegun.place, rung=0)
    return next((move for rung in below_top if (move := _last_move(configs, rung)) is not None), None)


def _last_move(configs: Sequence[_Config], rung: int) -> AshaMove | None:
    """The best of a rung that nothing else can come to, if none has gone on from it; all configs have begun."""
    if any(config.begun > rung + 1 or config.trains for config in configs):
        return None
    best = next(iter(_best_first(configs, rung)), None)
    return None if best is None or best.has_failed else AshaMove(config=best.place, rung=rung + 1)


def _best_first(configs: Iterable[_Config], rung: int) -> list[_Config]:
    """Those that have reached the rung."""

    def key(config: _Config) -> tuple[bool, float, int]:
        score = config.scores[rung]
        return score is None, 0.0 if score is None else -score, config.place

    return sorted((config for config in configs if len(config.scores) > rung), key=key)
