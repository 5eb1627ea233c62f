"""`rlsweep plan`: what would run, what it would take, and what to know before."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from rlsweep.analysis.wording import plural
from rlsweep.cli import options
from rlsweep.cli.output import console, duration, print_json, size, warn, when
from rlsweep.config.run import Budget, Mode
from rlsweep.planning.estimate import Estimate, Measurement, budget_warnings, estimate, gpu_warnings, largest_on_gpu
from rlsweep.planning.plan import Plan, check_trials, make_plan

if TYPE_CHECKING:
    from rich.console import Console

PROBE_SECONDS = 120.0
"""How long the measuring child process may take, its imports included."""


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    app.command(name="plan")(show_plan)


def show_plan(
    patterns: options.Patterns,
    base_config: options.BaseConfig = None,
    overrides: options.Overrides = None,
    mode: options.ModeOption = Mode.SMOKE,
    episodes: options.Episodes = None,
    total_timesteps: options.Timesteps = None,
    seeds: options.Seeds = 1,
    with_base: options.WithBase = False,
    gpus_per_trial: options.GpusPerTrial = None,
    json: options.Json = False,
) -> None:
    """Show what `submit` would run: trials, differing keys, updates, memory, time, warnings."""
    plan = make_plan(
        patterns,
        base_config=base_config,
        overrides=overrides or (),
        mode=mode,
        episodes=episodes,
        total_timesteps=total_timesteps,
        seeds=seeds,
        with_base=with_base,
    )
    gpus_per_trial = gpus_per_trial or 0.0
    check_trials(plan.base_training, gpus_per_trial=gpus_per_trial)
    estimates = estimate_plan(plan, measure_plan(plan, gpus_per_trial))
    if json:
        print_json(plan_as_json(plan, estimates, gpus_per_trial=gpus_per_trial))
    else:
        print_plan(plan, estimates, console(), gpus_per_trial=gpus_per_trial)


def measure_plan(plan: Plan, gpus_per_trial: float) -> list[Measurement]:
    """Measure for every trial by a child process that plays the environment and times a minibatch.

    Where trials have GPUs and this machine has none, it is measured without.

    Raises InputError where the environment cannot be made, another RlsweepError where playing it fails.
    """
    from rlsweep.planning.measure import measure

    return measure([trial.config for trial in plan.trials], gpus=gpus_per_trial > 0, timeout=PROBE_SECONDS)


def estimate_plan(plan: Plan, measurements: Sequence[Measurement]) -> list[Estimate]:
    """What every trial will take, from a measurement for each."""
    return [estimate(trial.config, each) for trial, each in zip(plan.trials, measurements, strict=True)]


def plan_as_json(plan: Plan, estimates: Sequence[Estimate], *, gpus_per_trial: float = 0.0) -> dict[str, Any]:
    """Give everything that `print_plan` shows."""
    return {
        "trials": [
            {
                "config": trial.label,
                "path": str(trial.config_path),
                "seed": trial.config.seed,
                "config_hash": trial.config_hash,
                "estimate": asdict(expected),
            }
            for trial, expected in zip(plan.trials, estimates, strict=True)
        ],
        "environment": plan.base_training.environment.id,
        "mode": plan.trials[0].config.mode.value,
        "budget": plan.trials[0].config.budget.model_dump(),
        "differing_keys": plan.differing_keys,
        "warnings": [*plan.warnings, *_measured_warnings(plan, estimates, gpus_per_trial)],
    }


def print_plan(
    plan: Plan,
    estimates: Sequence[Estimate] | None,
    out: "Console",
    *,
    gpus_per_trial: float = 0.0,
    measured_at: datetime | None = None,
) -> None:
    """Draw a line a config: what sets it apart, and what one trial of it will take where that was measured."""
    from rich.table import Table
    from rich.text import Text

    first = plan.trials[0].config
    seeds = {trial.config.seed for trial in plan.trials}
    out.print(
        f"{plural(len(plan.trials), 'trial')}: {plural(len(plan.labels), 'config')} × {plural(len(seeds), 'seed')} "
        f"on {first.training.environment.id}, {_budget(first.budget)} each, {first.mode.value} mode",
        markup=False,
        soft_wrap=True,
    )
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("config", no_wrap=True)
    for key in plan.differing_keys:
        table.add_column(Text(key.rsplit(".", 1)[-1]), justify="right", overflow="fold")
    expected = {} if estimates is None else _by_label(plan, estimates)
    if expected:
        for heading in ("env steps", "updates", "memory", "time"):
            table.add_column(heading, justify="right")
    for label in plan.labels:
        values = [_value(of_config.get(label)) for of_config in plan.differing_keys.values()]
        cells = (label, *values, *(_expectations(expected[label]) if expected else ()))
        table.add_row(*map(Text, cells))
    out.print(table)
    if estimates is not None:
        out.print(f"Checkpoints take {size(sum(each.checkpoint_bytes for each in estimates))} at the most.")
        if measured_at is not None:
            out.print(f"Memory and time are as measured at {when(measured_at)}; `rlsweep plan` measures anew.")
        if (fit := fit_on_gpu(estimates)) is not None:
            out.print(fit, markup=False, soft_wrap=True)
    warnings = (
        plan.warnings if estimates is None else (*plan.warnings, *_measured_warnings(plan, estimates, gpus_per_trial))
    )
    for warning in warnings:
        warn(warning, out)


def fit_on_gpu(estimates: Sequence[Estimate]) -> str | None:
    """How many trials a GPU's memory holds, by the largest of them; None where none is computed on one."""
    largest = largest_on_gpu(estimates)
    if largest is None:
        return None
    takes = f"A trial takes {size(largest.per_trial_bytes)} of this {largest.name}'s {size(largest.total_bytes)}"
    if largest.fitting == 0:
        return f"{takes}: it does not fit."
    return f"{takes}: {largest.fitting} fit by memory, with --gpus-per-trial {largest.share:g} or more."


def _measured_warnings(plan: Plan, estimates: Sequence[Estimate], gpus_per_trial: float) -> tuple[str, ...]:
    return (*budget_warnings(plan, estimates), *gpu_warnings(estimates, gpus_per_trial))


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


def _budget(budget: Budget) -> str:
    parts = []
    if budget.episodes:
        parts.append(plural(budget.episodes, "episode"))
    if budget.total_timesteps:
        parts.append(plural(budget.total_timesteps, "env step"))
    return " or ".join(parts)


def _value(value: object) -> str:
    return "–" if value is None else str(value)


def _count(number: float) -> str:
    return f"{number:,.0f}" if number < 100_000 else f"{number / 1000:,.0f}k"


def _range(bounds: tuple[float, float] | None, write: Callable[[float], str]) -> str:
    if bounds is None:
        return "unknown"
    low, high = (write(bound) for bound in bounds)
    return low if low == high else f"{low}–{high}"
