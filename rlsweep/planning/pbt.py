"""A population before it is on record: its members, its intervals, and everything that keeps it from being trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import ceil

from rlsweep.analysis.objectives import Objective
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.differences import differing_keys, digest, flat_hyperparameters
from rlsweep.config.promotion import variant_of
from rlsweep.config.run import ScoreEvaluation
from rlsweep.config.stepped import may_change
from rlsweep.config.training import MAX_SEED
from rlsweep.deciding.episodes import FEWEST_EPISODES, ScoreEpisodes
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import Plan, Trial
from rlsweep.planning.population_keys import unchangeable
from rlsweep.planning.race_options import read_objective
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.schedulers.pbt_records import FEWEST_MEMBERS, PbtSettings

DEFAULT_OBJECTIVE = Objective.TRAINING_REWARD
"""It takes no evaluation, which at each interval would cost as much as training where episodes are long."""

DEFAULT_INTERVALS = 10
"""Parts of the budget, where no interval is given."""

MOST_INTERVALS = 1000
"""Each is a pause of every member, with a checkpoint."""


def planned_pbt(plan: Plan, asked: SchedulerOptions) -> tuple[PbtSettings, Plan, Objective, ScoreEpisodes | None]:
    """The settings, and the plan whose trials are the members. Raises InputError, or ConfigError with every problem."""
    objective = DEFAULT_OBJECTIVE if asked.objective is None else read_objective(asked.objective)
    if problems := list(_problems(plan, asked)):
        raise ConfigError(*problems)
    total, rollout = _total(plan), plan.trials[0].config.rollout_steps
    wanted = ceil(total / DEFAULT_INTERVALS) if asked.interval is None else asked.interval
    interval = ceil(wanted / rollout) * rollout
    settings = PbtSettings(
        population=len(plan.trials),
        interval=interval,
        intervals=ceil(total / interval) - 1,
        seed=plan.base_training.seed,
    )
    episodes = None
    if objective is Objective.EVALUATION_REWARD:
        reason = f"{FEWEST_EPISODES} episodes: the score of an interval only says who is among the best."
        episodes = ScoreEpisodes(count=FEWEST_EPISODES, reason=reason)
    members = tuple(
        _member(trial, number, settings, total, episodes) for number, trial in enumerate(plan.trials, start=1)
    )
    flat = {trial.label: flat_hyperparameters(trial.config.agent) for trial in members}
    warnings = plan.warnings
    if asked.interval is not None and interval != asked.interval:
        warnings += (f"--interval {asked.interval} was rounded up to {interval}, whole rollouts of {rollout}.",)
    return (
        settings,
        replace(plan, trials=members, differing_keys=differing_keys(flat), warnings=warnings),
        objective,
        episodes,
    )


def first_pause(settings: PbtSettings, plan: Plan) -> float | None:
    """The share of the budget at which members pause first."""
    return settings.pause_after(0, _total(plan))


def _total(plan: Plan) -> int:
    """The budget of each member, in env steps."""
    total = plan.trials[0].config.budget.total_timesteps
    assert total is not None
    return total


def _problems(plan: Plan, asked: SchedulerOptions) -> Iterator[str]:
    seeds = len({trial.config.seed for trial in plan.trials})
    if seeds > 1:
        yield f"--seeds {seeds}: each member of a population has one seed of its own; leave the flag out"
    if plan.space is None:
        yield (
            "--scheduler pbt: it changes keys of a search space, and none was given; give one, or "
            "--space learning_rate=log:1e-5..1e-2"
        )
    else:
        yield from _problems_of_keys(plan, tuple(plan.space["space"]))
    yield from _problems_of_population(plan, asked.population, seeds)
    yield from _problems_of_interval(plan, asked.interval)


def _problems_of_population(plan: Plan, population: int | None, seeds: int) -> Iterator[str]:
    members = len(plan.trials) // seeds
    if population is not None and population < FEWEST_MEMBERS:
        yield (
            f"--population {population}: a quarter of the members copies another quarter, so it takes "
            f"{FEWEST_MEMBERS} at least; give {FEWEST_MEMBERS} or more"
        )
    elif plan.space is not None and members < FEWEST_MEMBERS:
        yield f"--population {members}: the space has no more configs; widen it, or take sampler: random"
    if plan.base_training.seed + members - 1 > MAX_SEED:
        yield f"--population {members}: the last member's seed would be above {MAX_SEED}; lower the base config's seed"


def _problems_of_interval(plan: Plan, interval: int | None) -> Iterator[str]:
    if interval is not None and interval < 1:
        yield f"--interval {interval}: give a number of env steps, such as 20480"
    budget = plan.trials[0].config.budget
    total, rollout = budget.total_timesteps, plan.trials[0].config.rollout_steps
    if budget.episodes is not None or total is None:
        yield "--scheduler pbt: intervals are env steps, so the budget must be too; give --total-timesteps alone"
    elif rollout >= total:
        yield (
            f"--scheduler pbt: members pause after whole rollouts of {rollout:,} env steps, and none ends before the "
            f"budget of {total:,}; give a larger --total-timesteps"
        )
    elif interval is not None and ceil(interval / rollout) * rollout >= total:
        offer = max(1, total // DEFAULT_INTERVALS // rollout) * rollout
        yield f"--interval {interval}: no member pauses before its budget of {total:,} env steps ends; give {offer}"
    elif interval is not None and interval > 0 and total / (ceil(interval / rollout) * rollout) > MOST_INTERVALS:
        offer = ceil(total / DEFAULT_INTERVALS / rollout) * rollout
        yield f"--interval {interval}: members would pause more than {MOST_INTERVALS:,} times; give {offer}"


def _problems_of_keys(plan: Plan, keys: Sequence[str]) -> Iterator[str]:
    configs = {trial.label: flat_hyperparameters(trial.config.agent) for trial in plan.trials}
    algorithm = plan.trials[0].config.agent.algorithm
    for key in keys:
        schedules = [(label, flat[key]) for label, flat in configs.items() if isinstance(flat.get(key), str | Mapping)]
        if not may_change(key):
            yield from unchangeable([key])
        elif key not in ALGORITHMS[algorithm].hyperparameters:
            yield f"space.{key}: {algorithm} does not use it; take it out"
        elif schedules:
            label, schedule = schedules[0]
            yield f"space.{key}: {label} has a schedule, {schedule}, and pbt makes its own; give it one value"
    for key, values in plan.differing_keys.items():
        if key not in keys and not may_change(key):
            one, other = list(dict.fromkeys(map(str, values.values())))[:2]
            yield f"{key}: a member copies the weights of any other, so all need one value, not {one} and {other}"


def _member(
    trial: Trial, number: int, settings: PbtSettings, total_timesteps: int, episodes: ScoreEpisodes | None
) -> Trial:
    """A trial as a member: it goes by its number, since its hyperparameters will change, and has its own seed."""
    config = trial.config
    variant = f"member_{number}"
    own = {"sweep_variant": variant, "name": variant_of(config.agent.name, variant)}
    agent = config.agent.model_copy(update={**own, "description": f"Member {number} of a population"})
    evaluation = None
    if episodes is not None:
        pauses = [settings.pause_after(interval, total_timesteps) for interval in range(settings.intervals + 1)]
        evaluation = ScoreEvaluation(at=tuple(pause or 1.0 for pause in pauses), episodes=episodes.count)
    seed = config.seed + number - 1
    return replace(
        trial,
        label=agent.short_name,
        key=digest([trial.key, seed]),
        config=config.model_copy(update={"agent": agent, "seed": seed, "score_evaluation": evaluation}),
    )
