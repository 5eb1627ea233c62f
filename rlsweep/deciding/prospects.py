"""The chance that more training makes an answer safe, by simulation from a record.

Drawn are the configs' expected scores and the scatter of their seeds, as the record leaves them open, and then the
scores of further seeds. Each draw is judged as a race judges its record: safe is a risk of at most 1 - confidence with
`fewest_seeds` seeds of the leader. A race ends once the runs on its other slots have ended too, so these count as well.
Caveats that may turn up later are not foreseen.

Most draws take expected scores of the configs that are not clearly worse shrunk towards those configs' mean (see
`regression.fit_level`): the best of many was lucky, and a forecast that takes all of its lead promises too much.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil

import numpy as np
from numpy.typing import NDArray
from scipy import special

from rlsweep.deciding.belief import LEAST_BETWEEN, Belief, Floats, believe, resolve_tolerance
from rlsweep.deciding.drawn_moves import drawn_moves
from rlsweep.deciding.drawn_records import DrawnRecords, Seeds, drawn_beliefs
from rlsweep.deciding.records import RaceRecord, RaceSettings
from rlsweep.deciding.regression import fit_level
from rlsweep.deciding.rises import rise_of
from rlsweep.deciding.risk import contenders_of, leader_of
from rlsweep.deciding.standing import Standing, standing_of

SPREADS, DRAWS = 7, 40
"""Values of the scatter over seeds that a band spans, and draws with each of them."""

SHRUNK = 4
"""One draw in so many takes the means as they are: one config may really be far better than the others."""

MOST_MOVES = 96
"""Runs that a simulated race adds at most: with 32 configs they take a tenth of a second."""

STEPS = 24
"""Beliefs of a simulated race are fitted after each so large a part of its moves."""

MOST_SLOTS = MOST_MOVES // 4
"""Slots beyond these are not counted: a race that fills more at once would end beyond the runs that are looked at."""

MOST_SEEDS = 10
"""Runs a config that a simulated race adds at most, on average."""

FEWEST_KEPT = 3
"""Configs of a smaller race: with fewer no risk can be stated."""

LONGER = 2.0
"""The longer budget, in budgets."""

COME_TRUE, COME_TRUE_SD = 0.8, 0.4
"""Share of the extrapolated rise that a longer budget brings, and how it scatters from config to config."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prospect:
    """What more training may bring, at several amounts of it.

    env_steps: to train from now on, ascending; chance: that the answer is safe then
    low, high: the chance if seeds scatter as much, or as little, as the record allows (6 in 7 of the ways)
    runs: to train until then
    """

    env_steps: tuple[float, ...]
    chance: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    runs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Open:
    """What a record leaves open, drawn. The draws of one scatter stand together, and differ in nothing else.

    truth: expected scores, sd: of seeds; both (SPREADS * DRAWS, configs)
    belief: that the record gives
    """

    truth: Floats
    sd: Floats
    belief: Belief
    standing: Standing


def freedom_of(record: RaceRecord) -> int:
    """Degrees of freedom by which the record shows the scatter over seeds."""
    counts = (sum(each.full is not None for each in seeds) for seeds in record.scores)
    return sum(max(0, count - 1) for count in counts)


def kept_configs(settings: RaceSettings, record: RaceRecord) -> tuple[int, ...]:
    """The configs that are not clearly worse than the leader, at least FEWEST_KEPT, in their order."""
    belief, standing = _belief_of(settings, record)
    seeds = np.array([len(config.full) for config in standing.configs])
    leader = leader_of(belief, seeds)
    level = settings.caution * (1 - settings.confidence)
    likely = contenders_of(belief, leader, 0.0)
    close = len(contenders_of(belief, leader, level))
    return tuple(sorted((leader, *likely[: max(close, FEWEST_KEPT - 1)])))


def prospect_of_seeds(settings: RaceSettings, record: RaceRecord, *, slots: int) -> Prospect:
    """A race that goes on from the record: each run where it lowers the risk most, until the answer is safe.

    slots: runs that train side by side
    """
    drawn = _draw(settings, record)
    standing = drawn.standing
    full = [np.array(config.full) for config in standing.configs]
    draws = (len(drawn.truth), 1)
    records = DrawnRecords(
        seeds=np.tile([len(each) for each in full], draws),
        mean=np.tile([each.mean() if len(each) else 0.0 for each in full], draws),
        squares=np.tile([((each - each.mean()) ** 2).sum() if len(each) else 0.0 for each in full], draws),
        unfinished_mean=drawn.belief.mean,
        unfinished_variance=drawn.belief.variance,
        start=standing.start,
    )
    waiting = np.array([len(config.waiting) for config in standing.configs])
    return _raced(settings, drawn.truth, drawn.sd, records, waiting, slots=slots)


def prospect_of_race(
    settings: RaceSettings, record: RaceRecord, *, kept: Sequence[int], slots: int, budgets: float = 1.0
) -> Prospect:
    """A race of some of the configs that begins anew on so many slots, each run of so many budgets (1 or LONGER).

    Its opening is taken as one whole run of each config, and a second one of the best three; a race with a rung spends
    a little less on it.
    """
    drawn = _draw(settings, record)
    truth, sd = drawn.truth[:, kept], drawn.sd[:, kept]
    if budgets > 1:
        truth = truth + _still_to_come(record, len(truth))[:, kept]
        settings = replace(settings, run_cost=budgets * settings.run_cost, rung_cost=budgets * settings.rung_cost)
    records = DrawnRecords(
        seeds=np.zeros(truth.shape, dtype=np.int_),
        mean=np.zeros(truth.shape),
        squares=np.zeros(truth.shape),
        unfinished_mean=np.zeros(len(kept)),
        unfinished_variance=np.ones(len(kept)),
        start=record.start,
    )
    noise = np.tile(_rng(1).standard_normal((2, DRAWS, len(kept))), (1, SPREADS, 1))
    rows = np.arange(len(truth))
    for config in range(len(kept)):
        column = np.full(len(truth), config)
        records.add(rows, column, truth[:, config] + sd[:, config] * noise[0][:, config])
    second = min(settings.second_seeds, len(kept))
    for column in np.argsort(-records.mean, axis=1)[:, :second].T:
        records.add(rows, column, truth[rows, column] + sd[rows, column] * noise[1][rows, column])
    waiting = np.zeros(len(kept), dtype=np.int_)
    return _raced(settings, truth, sd, records, waiting, slots=slots, opening=len(kept) + second)


def _raced(
    settings: RaceSettings,
    truth: Floats,
    sd: Floats,
    records: DrawnRecords,
    waiting: Seeds,
    *,
    slots: int,
    opening: int = 0,
) -> Prospect:
    """The prospect of a race over known expected scores, after an opening of so many runs.

    waiting: (configs,)
    """
    slots = min(slots, MOST_SLOTS)
    moves = STEPS * max(1, min(MOST_MOVES, MOST_SEEDS * truth.shape[1]) // STEPS)
    runs = opening + np.arange(STEPS + 1) * (moves // STEPS)
    grid = runs * settings.run_cost
    safe_at = opening * settings.run_cost + _safe_at(settings, truth, sd, records, waiting, moves, slots)
    table = np.stack([_by_spread(safe_at <= each * (1 + 1e-9)) for each in grid])
    return Prospect(
        env_steps=tuple(grid.tolist()),
        chance=tuple(table.mean(1).tolist()),
        low=tuple(table.min(1).tolist()),
        high=tuple(table.max(1).tolist()),
        runs=tuple(runs.tolist()),
    )


def _safe_at(
    settings: RaceSettings, truth: Floats, sd: Floats, records: DrawnRecords, waiting: Seeds, moves: int, slots: int
) -> Floats:
    """Env steps after which each draw's race ends, infinite where it does not after so many moves; (draws,).

    It ends where the answer is safe, and is so still once the runs have ended that train on the other slots.
    """
    noise = np.tile(_rng(3).standard_normal((DRAWS, moves)), (SPREADS, 1))
    began = records.seeds.copy()
    ended_at, spent, safe_since = np.full(len(truth), np.inf), np.zeros(len(truth)), np.zeros(len(truth))
    decided = np.full(len(truth), -1)  # the look after which the runs on the other slots have ended
    open_draws = np.arange(len(truth))
    batch = moves // STEPS
    for look in range(STEPS + 1):
        now = records.of(open_draws)
        beliefs = drawn_beliefs(settings, now)
        is_safe = beliefs.is_safe(settings)
        begins = open_draws[is_safe & (decided[open_draws] < look)]
        decided[begins] = look + ceil((slots - 1) / batch)
        safe_since[begins] = spent[begins] - (min(look, 1) * (batch - 1) / 2) * settings.run_cost  # since the last look
        ends = is_safe & (decided[open_draws] == look)
        ended_at[open_draws[ends]] = safe_since[open_draws[ends]] + (slots - 1) * settings.run_cost
        open_draws = open_draws[~ends]
        if look == STEPS or not len(open_draws):
            break
        left = np.maximum(waiting - now.seeds[~ends] + began[open_draws], 0)
        for number, (config, cost) in enumerate(drawn_moves(settings, beliefs.of(~ends), left, batch)):
            score = truth[open_draws, config] + sd[open_draws, config] * noise[open_draws, look * batch + number]
            records.add(open_draws, config, score)
            spent[open_draws] += cost
    return ended_at


def _by_spread(is_safe: NDArray[np.bool_]) -> Floats:
    """The share of safe draws for each scatter; (SPREADS,)."""
    return np.asarray(is_safe.reshape(SPREADS, DRAWS).mean(1), dtype=np.float64)


def _rng(purpose: int) -> np.random.Generator:
    return np.random.default_rng((20, purpose))


def _belief_of(settings: RaceSettings, record: RaceRecord) -> tuple[Belief, Standing]:
    standing = standing_of(settings, record)
    tolerance = resolve_tolerance(settings, standing)
    assert tolerance is not None
    return believe(settings, standing, tolerance), standing


def _draw(settings: RaceSettings, record: RaceRecord) -> _Open:
    """Draw what the record leaves open, with every scatter in turn; the same each time."""
    belief, standing = _belief_of(settings, record)
    rng, configs = _rng(0), len(record.scores)
    seeds = np.array([len(config.full) for config in standing.configs])
    done = seeds > 0
    close = done & np.isin(np.arange(configs), kept_configs(settings, record))
    freedom = settings.prior_freedom + np.maximum(seeds - 1, 0)
    own = (freedom - 2) / rng.chisquare(freedom, (DRAWS, configs))
    normal = rng.standard_normal((DRAWS, configs))
    takes_lead = (np.arange(DRAWS) % SHRUNK == 0)[:, np.newaxis]
    pooled = belief.seed_variance
    total = max(1, freedom_of(record))
    shares = (np.arange(SPREADS) + 0.5) / SPREADS
    truths, sds = [], []
    for scale in total / special.chdtri(total, shares):
        error = np.where(done, belief.variance * scale, belief.variance)
        mean, variance = belief.mean.copy(), error.copy()
        if close.sum() > 1:
            mean[close], variance[close] = _shrunk(belief.mean[close], error[close], scale * float(pooled.mean()))
        shrunk = mean + np.sqrt(variance) * normal
        truths.append(np.where(takes_lead, belief.mean + np.sqrt(error) * normal, shrunk))
        sds.append(np.sqrt(pooled * scale * own))
    return _Open(truth=np.concatenate(truths), sd=np.concatenate(sds), belief=belief, standing=standing)


def _shrunk(mean: Floats, error: Floats, seed_variance: float) -> tuple[Floats, Floats]:
    """Mean and variance of expected scores, given their means over seeds and how those scatter."""
    level = fit_level(mean, error, LEAST_BETWEEN * seed_variance)
    weight = level.scatter / (level.scatter + error)
    return level.level + weight * (mean - level.level), weight * error + (1 - weight) ** 2 * level.level_variance


def _still_to_come(record: RaceRecord, draws: int) -> Floats:
    """What a longer budget adds to the expected scores; (draws, configs)."""
    rises = [rise_of(seeds, record.start) for seeds in record.scores]
    gain = np.array([0.0 if rise is None else rise.to_come for rise in rises])
    share = COME_TRUE + COME_TRUE_SD * _rng(2).standard_normal((DRAWS, len(gain)))
    return np.tile(gain * np.maximum(share, 0.0), (draws // DRAWS, 1))
