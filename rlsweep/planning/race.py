"""A race before it is on record: what it is asked for, checked, and what its runs are evaluated for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from rlsweep.analysis.objectives import Objective
from rlsweep.deciding.episodes import ScoreEpisodes
from rlsweep.deciding.records import DEFAULT_TOLERANCE, Tolerance
from rlsweep.errors import InputError
from rlsweep.planning import race_options as given
from rlsweep.planning.estimate import Estimate
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import Plan
from rlsweep.planning.race_options import RaceOptions
from rlsweep.planning.score_evaluations import with_score_evaluations
from rlsweep.race_records import RaceTerms, Statistic

RUNG = 0.5
"""Share of the budget at which first seeds pause. Of 16 recorded configs the best is in the worse half there in 6% of
sweeps; at a tenth of the budget that is far more common."""

FEWEST_CONFIGS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class RacePlan:
    """A plan whose trials are evaluated for their scores, and how.

    episodes: of each score evaluation, and why; None if the objective needs none
    """

    plan: Plan
    objective: Objective
    statistic: Statistic
    tolerance: Tolerance
    confidence: float
    cap: float
    max_hours: float | None
    episodes: ScoreEpisodes | None


def race_plan(plan: Plan, asked: RaceOptions) -> RacePlan:
    """Check what the race is asked for, and add score evaluations to the plan's trials. Raises InputError."""
    objective = given.DEFAULT_OBJECTIVE if asked.objective is None else given.read_objective(asked.objective)
    tolerance = DEFAULT_TOLERANCE if asked.tolerance is None else given.read_tolerance(asked.tolerance)
    if len(plan.labels) < FEWEST_CONFIGS:
        raise InputError(f"A race compares configs, and {plan.labels[0]} is the only one. Add variants of it.")
    evaluated, episodes = with_score_evaluations(plan, objective, tolerance, (RUNG, 1.0))
    return RacePlan(
        plan=evaluated,
        objective=objective,
        statistic=given.DEFAULT_STATISTIC if asked.over_seeds is None else given.read_statistic(asked.over_seeds),
        tolerance=tolerance,
        confidence=given.read_confidence(given.DEFAULT_CONFIDENCE if asked.confidence is None else asked.confidence),
        cap=given.read_cap(given.DEFAULT_CAP if asked.cap is None else asked.cap),
        max_hours=given.read_max_hours(asked.max_hours),
        episodes=episodes,
    )


def race_terms(race: RacePlan, forecast: Forecast) -> RaceTerms:
    """The terms of a planned race. Raises InputError for a win rate where episodes have no winner."""
    check_objective(race.objective, forecast)
    run, rung = planned_costs(race, forecast.estimates)
    return RaceTerms(
        objective=race.objective.value,
        statistic=race.statistic,
        tolerance=race.tolerance.value,
        tolerance_is_share=race.tolerance.is_share,
        confidence=race.confidence,
        cap=race.cap,
        max_hours=race.max_hours,
        rung=RUNG,
        score_episodes=None if race.episodes is None else race.episodes.count,
        planned_run_steps=run,
        planned_rung_steps=rung,
        configs=len(race.plan.labels) + race.plan.to_draw if race.plan.to_draw else None,
    )


def changed_terms(terms: RaceTerms, options: RaceOptions) -> RaceTerms:
    """The terms of a race on record with what was given anew. Raises InputError."""
    if options.objective is not None and given.read_objective(options.objective) is not Objective(terms.objective):
        raise InputError(
            f"--objective {options.objective}: this race is about {terms.objective}, and its decisions are on record. "
            "Start another race of the same configs."
        )
    tolerance = Tolerance(value=terms.tolerance, is_share=terms.tolerance_is_share)
    if options.tolerance is not None:
        tolerance = given.read_tolerance(options.tolerance)
    return replace(
        terms,
        tolerance=tolerance.value,
        tolerance_is_share=tolerance.is_share,
        confidence=terms.confidence if options.confidence is None else given.read_confidence(options.confidence),
        cap=terms.cap if options.cap is None else given.read_cap(options.cap),
        max_hours=given.read_max_hours(options.max_hours),
        statistic=terms.statistic if options.over_seeds is None else given.read_statistic(options.over_seeds),
    )


def planned_costs(race: RacePlan, estimates: Sequence[Estimate] | None) -> tuple[float, float]:
    """Env steps of a whole run and of one up to the rung, with score evaluations; means over the configs.

    Where nothing was measured, 1 and the rung's share: the race then goes by what its first runs took.
    """
    steps = [each.nominal_env_steps for each in estimates or () if each.nominal_env_steps is not None]
    if not steps:
        return 1.0, RUNG
    whole = sum(steps) / len(steps)
    lengths = [each.episode_length for each in estimates or () if each.episode_length is not None]
    evaluation = 0.0
    if race.episodes is not None and lengths:
        evaluation = race.episodes.count * sum(lengths) / len(lengths)
    return whole + 2 * evaluation, RUNG * whole + evaluation


def check_objective(objective: Objective, forecast: Forecast) -> None:
    """Raise InputError for an objective that the environment does not give."""
    if objective is Objective.WIN_RATE and forecast.has_outcomes is False:
        raise InputError(
            f"--objective win_rate: episodes of {forecast.plan.base_training.environment.id} have no winner. Use "
            "--objective evaluation_reward."
        )
