"""`rlsweep plan`: what would run, what it would take, and what to know before."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rlsweep.analysis.wording import duration, hyperparameter, labelled, limits, plural
from rlsweep.api.plan import PlanOptions, make_plan, measure
from rlsweep.cli import options
from rlsweep.cli.flag_blocks import with_flag_blocks
from rlsweep.cli.output import console, print_json, size, warn, when
from rlsweep.cli.patterns_command import PatternsCommand
from rlsweep.cli.race_plan import print_race, race_as_json
from rlsweep.cli.scheduler_plan import print_scheduler, scheduler_as_json
from rlsweep.cluster.resources import Resources
from rlsweep.config.training import EvaluationConfig
from rlsweep.errors import InputError
from rlsweep.planning.estimate import Estimate, largest_on_gpu, total_seconds
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.instances import environment_instances, instances_line
from rlsweep.planning.plan import Plan, check_all_drawn
from rlsweep.planning.race import RacePlan, check_objective, race_plan
from rlsweep.planning.race_options import RaceOptions
from rlsweep.planning.scheduler import ends_early, scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.reports.layout import MISSING, Column, laid_out
from rlsweep.spaces.space import ADAPTIVE

TOLD_SHARE = 0.1
TOLD_SECONDS = 1.0
"""A part of a trial's time is told from this share and these seconds on."""

MOST_TABLES = 2
"""Into which the plan's columns are divided on a narrow screen, before each config gets a paragraph."""

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from rlsweep.planning.race_forecast import RaceForecast


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="plan", cls=PatternsCommand)(with_flag_blocks(show_plan))


def show_plan(
    *,
    patterns: options.Patterns,
    plan: PlanOptions,
    asked: RaceOptions,
    scheduling: SchedulerOptions,
    gpus_per_trial: options.GpusPerTrial = None,
    max_concurrent: options.MaxConcurrent = None,
    race: Annotated[bool, typer.Option("--race", help="Also show what `race` would take.")] = False,
    json: options.Json = False,
) -> None:
    """Show what `submit` would run: trials, differing keys, updates, memory, time, warnings."""
    resources = Resources(max_concurrent=max_concurrent)
    if not race and replace(asked, objective=None) != RaceOptions():
        raise InputError("Flags of a race need --race: rlsweep plan PATTERN --race --tolerance 5%.")
    if race and replace(scheduling, objective=None) != SchedulerOptions():
        raise InputError("--race: a race decides by itself what is trained. Leave it out, or the flags of a scheduler.")
    made = make_plan(patterns, plan, scheduling)
    if not race:
        check_all_drawn(made)
    planned = race_plan(made, asked) if race else None
    scheduler = None if race else scheduler_plan(made, scheduling)
    decided = planned or scheduler
    if not json:
        print_head_at_once(made, console())
    found = measure(made if decided is None else decided.plan, gpus_per_trial=gpus_per_trial or 0.0)
    if scheduler is not None:
        check_objective(scheduler.objective, found)
    if json:
        print_json(
            forecast_as_json(found, resources)
            | _race_as_json(planned, found, resources)
            | ({} if scheduler is None else {"scheduler": scheduler_as_json(scheduler, found, resources)})
        )
        return
    print_forecast(found, console(), resources, is_decided_upon=planned is not None or ends_early(scheduler))
    if planned is not None:
        print_race(planned, _forecast_race(planned, found, resources), console())
    if scheduler is not None:
        print_scheduler(scheduler, found, console(), resources)


def _forecast_race(race: RacePlan, found: Forecast, resources: Resources) -> "RaceForecast | None":
    from rlsweep.planning.race_forecast import forecast_race

    check_objective(race.objective, found)
    return forecast_race(race, found, slots=environment_instances(race.plan, resources).trials_at_once)


def _race_as_json(race: RacePlan | None, found: Forecast, resources: Resources) -> dict[str, Any]:
    return {} if race is None else {"race": race_as_json(race, _forecast_race(race, found, resources))}


def forecast_as_json(forecast: Forecast, resources: Resources | None = None) -> dict[str, Any]:
    """Give everything that `print_forecast` shows."""
    plan, instances = forecast.plan, environment_instances(forecast.plan, resources or Resources())
    estimates = forecast.estimates or (None,) * len(forecast.plan.trials)
    return {
        "trials": [
            {
                "config": trial.label,
                "path": None if trial.config_path is None else str(trial.config_path),
                "seed": trial.config.seed,
                "config_hash": trial.config_hash,
                "estimate": None if expected is None else asdict(expected),
            }
            for trial, expected in zip(plan.trials, estimates, strict=True)
        ],
        "total_seconds": total_seconds(forecast.estimates or (), instances.trials_at_once),
        "environment": plan.base_training.environment.id,
        "environment_facts": dict(forecast.facts),
        "mode": plan.trials[0].config.mode.value,
        "budget": plan.trials[0].config.budget.model_dump(),
        "environment_instances": asdict(instances),
        "differing_keys": plan.differing_keys,
        "space": plan.space,
        "to_draw": plan.to_draw,
        "warnings": forecast.warnings,
    }


def print_head_at_once(plan: Plan, out: "Console") -> None:
    """On a terminal, say what is planned before anything is measured, which takes seconds.

    Elsewhere it comes with the forecast: a command that fails leaves a pipe empty.
    """
    if out.is_terminal:
        _print_head(plan, out)


def _print_head(plan: Plan, out: "Console") -> None:
    first = plan.trials[0].config
    seeds = {trial.config.seed for trial in plan.trials}
    has_each = len(plan.labels) * len(seeds) == len(plan.trials)
    each = f" × {plural(len(seeds), 'seed')}" if has_each else ", each with a seed of its own,"
    out.print(
        f"{plural(len(plan.trials), 'trial')}: {plural(len(plan.labels), 'config')}{each} "
        f"on {first.training.environment.id}, {limits(first.budget)} each, {first.mode.value} mode",
        markup=False,
        soft_wrap=True,
    )
    if plan.space is not None:
        source, sampler, seed = (plan.space[key] for key in ("source", "sampler", "seed"))
        text = f"Drawn next to {plan.labels[0]} from {source}, by {sampler} with seed {seed}."
        if sampler in ADAPTIVE:
            later = f"{plan.to_draw:,} more while the race runs" if plan.to_draw else "none of so few configs"
            text = f"Drawn evenly next to {plan.labels[0]} from {source}, with seed {seed}; {sampler} draws {later}."
        out.print(text, markup=False, soft_wrap=True)


def print_forecast(
    forecast: Forecast, out: "Console", resources: Resources | None = None, *, is_decided_upon: bool = False
) -> None:
    """Draw one line per config: what sets it apart, and what one trial of it will take where that was measured.

    resources: of the trials, where they run on this machine; None if that is not known yet
    is_decided_upon: a race or a scheduler decides how far they train, whose time is told elsewhere
    """
    if not out.is_terminal:
        _print_head(forecast.plan, out)
    for line in labelled(forecast.facts):
        out.print(line, markup=False, soft_wrap=True)
    for part in _layout(forecast, out.width):
        out.print(part)
    if forecast.estimates is not None:
        out.print(f"Checkpoints take {size(sum(each.checkpoint_bytes for each in forecast.estimates))} at the most.")
        if forecast.measured_at is not None:
            out.print(f"Memory and time were measured at {when(forecast.measured_at)}; `rlsweep plan` measures again.")
    for line in _notes(forecast, resources, is_decided_upon=is_decided_upon):
        out.print(line, markup=False, soft_wrap=True)
    for warning in forecast.warnings:
        warn(warning, out)


def _notes(forecast: Forecast, resources: Resources | None, *, is_decided_upon: bool) -> Iterator[str]:
    """What the table does not say of time, GPUs and environments."""
    estimates, training = forecast.estimates or (), forecast.plan.base_training
    if (note := time_note(estimates, training.evaluation)) is not None:
        yield note
    if (fit := fit_on_gpu(estimates)) is not None:
        yield fit
    if resources is not None:
        instances = environment_instances(forecast.plan, resources)
        total = total_seconds(estimates, instances.trials_at_once)
        if total is not None and len(estimates) > 1 and not is_decided_upon:
            yield f"All trials take about {_range(total, duration)}, {instances.trials_at_once} at a time."
        line = instances_line(forecast.plan, instances)
        if line is not None:
            yield line


def time_note(estimates: Sequence[Estimate], evaluation: EvaluationConfig) -> str | None:
    """What evaluations and making take of the longest trial's time, and imports before; None where that is little."""
    known = [each for each in estimates if each.seconds is not None]
    longest = max(known, key=lambda each: each.seconds[1] if each.seconds else 0.0, default=None)
    if longest is None or longest.seconds is None:
        return None
    least, parts = max(TOLD_SHARE * longest.seconds[1], TOLD_SECONDS), []
    if longest.evaluation_seconds and longest.evaluations and longest.evaluation_seconds[1] > least:
        parts.append(f"{_range(longest.evaluation_seconds, duration)} for {_evaluations(longest, evaluation)}")
    if longest.start_seconds > least:
        parts.append(f"{duration(longest.start_seconds)} for making environments and network")
    notes = [f"A trial's time includes {' and '.join(parts)}."] if parts else []
    if longest.import_seconds > least:
        notes.append(f"Before its first trial, a process takes {duration(longest.import_seconds)} to import libraries.")
    return " ".join(notes) or None


def _evaluations(of: Estimate, periodic: EvaluationConfig) -> str:
    """How much is evaluated: periodically, and for the score of a race or a scheduler, which has its own episodes."""
    counts = of.evaluations or (0, 0)
    said = []
    if counts[1]:
        number = f"{_range(counts, _count)} evaluation{'' if counts[1] == 1 else 's'}"
        said.append(
            f"{number} of {plural(periodic.episodes, 'episode')} (evaluation.every_rollouts, evaluation.episodes)"
        )
    if of.evaluation_episodes and (scored := of.evaluation_episodes[1] - counts[1] * periodic.episodes):
        said.append(f"{plural(scored, 'episode')} of evaluations for the score")
    return " and ".join(said)


def _layout(forecast: Forecast, width: int) -> "list[RenderableType]":
    """One row per config: the keys in which configs differ, and what a trial of it takes."""
    plan = forecast.plan
    columns = [Column("config"), *(Column(key.rsplit(".", 1)[-1]) for key in plan.differing_keys)]
    expected = {} if forecast.estimates is None else _by_label(plan, forecast.estimates)
    if expected:
        columns += map(Column, ("env steps", "updates", "memory", "time"))
    rows = []
    for label in plan.labels:
        values = [_value(of_config.get(label)) for of_config in plan.differing_keys.values()]
        rows.append((label, *values, *(_expectations(expected[label]) if expected else ())))
    return laid_out(columns, rows, width, most_tables=MOST_TABLES)


def fit_on_gpu(estimates: Sequence[Estimate]) -> str | None:
    """How many trials a GPU's memory holds, by the largest of them; None where none is computed on one."""
    largest = largest_on_gpu(estimates)
    if largest is None:
        return None
    takes = f"A trial takes {size(largest.per_trial_bytes)} of this {largest.name}'s {size(largest.total_bytes)}"
    if largest.fitting == 0:
        return f"{takes}: it does not fit."
    return f"{takes}: {largest.fitting} fit by memory, with --gpus-per-trial {largest.share:g} or more."


def _by_label(plan: Plan, estimates: Sequence[Estimate]) -> dict[str, Estimate]:
    """One estimate a config: its seeds' trials are all alike."""
    return {trial.label: expected for trial, expected in zip(plan.trials, estimates, strict=True)}


def _expectations(expected: Estimate) -> tuple[str, ...]:
    return (
        _range(expected.env_steps, _count),
        _range(expected.updates, _count),
        size(expected.peak_memory_bytes),
        _range(expected.seconds, duration),
    )


def _value(value: object) -> str:
    return MISSING if value is None else hyperparameter(value)


def _count(number: float) -> str:
    return f"{number:,.0f}" if number < 100_000 else f"{number / 1000:,.0f}k"


def _range(bounds: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    if bounds is None:
        return "unknown"
    low, high = (write(bound) for bound in bounds)
    return low if low == high else f"{low}–{high}"
