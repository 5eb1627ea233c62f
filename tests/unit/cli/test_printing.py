"""JSON that any parser reads, and plans of configs that share a name."""

import io
import json
import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import yaml
from in_process import Terminal, call
from planned_space import BASE, planned
from rich.console import Console

from rlsweep.cli.inspection import _environment
from rlsweep.cli.output import print_json
from rlsweep.cli.planning import fit_on_gpu, forecast_as_json, print_forecast, print_head_at_once, time_note
from rlsweep.config.run import Mode
from rlsweep.config.training import EnvironmentSpec, EvaluationConfig, WrapperSpec
from rlsweep.errors import InputError
from rlsweep.planning.estimate import Estimate, GpuMemory, gpu_warnings
from rlsweep.planning.forecast import Forecast
from rlsweep.planning.plan import make_plan
from rlsweep.runs import RunStatus


@dataclass(frozen=True, slots=True)
class Record:
    figures: tuple[float, ...]
    parts: dict[Any, Any]


def test_json_has_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    moment = datetime(2026, 1, 2, tzinfo=UTC)
    print_json(
        [Record((1.5, math.nan, -math.inf), {RunStatus.FAILED: Path("a"), "id": UUID(int=1), "at": moment, "no": None})]
    )
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == [
        {
            "figures": [1.5, None, None],
            "parts": {"failed": "a", "id": str(UUID(int=1)), "at": "2026-01-02T00:00:00+00:00", "no": None},
        }
    ]


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (EnvironmentSpec(id="CartPole-v1"), "CartPole-v1"),
        (
            EnvironmentSpec(opponent="self", wrappers=(WrapperSpec(id="a:B"),), frame_stack=4),
            "open_spiel/connect_four (opponent self; wrappers [{'id': 'a:B', 'kwargs': {}}]; frame_stack 4)",
        ),
    ],
)
def test_a_run_shows_how_its_environment_differs_from_the_defaults(spec: EnvironmentSpec, said: str) -> None:
    run: Any = SimpleNamespace(environment=spec.id, config={"training": {"environment": spec.model_dump(mode="json")}})
    assert _environment(run) == said


def test_two_configs_of_one_short_name_are_two_rows(tmp_path: Path) -> None:
    for name, gamma in (("one[b]", 0.9), ("two", 0.8)):
        (tmp_path / f"{name}.yaml").write_text(
            f"agent_id: a\nname: A\nalgorithm: MaskablePPO\nversion: 1\ngamma: {gamma}\n"
        )
    plan = make_plan(
        [str(tmp_path)],
        base_config=None,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=20_000,
        seeds=2,
        with_base=False,
    )
    estimates = [
        Estimate(
            env_steps=(steps, steps),
            nominal_env_steps=steps,
            updates=(9, 9),
            peak_memory_bytes=1,
            checkpoint_bytes=3_000_000,
            seconds=(1.0, 1.0),
            gpu=None,
        )
        for steps in (20_001, 20_002) * 2
    ]
    out = io.StringIO()
    facts = {"action_masks": "none; every action counts as legal"}
    forecast = Forecast(plan=plan, estimates=tuple(estimates), warnings=plan.warnings, facts=facts)
    print_forecast(forecast, Console(file=out, width=400))
    heading, masks, columns, one, two, disk = out.getvalue().splitlines()[:6]
    assert masks == "Action masks: none; every action counts as legal."
    assert forecast_as_json(forecast)["environment_facts"] == facts
    assert heading.startswith("4 trials: 2 configs × 2 seeds on ")
    assert columns.split()[:2] == ["config", "gamma"]
    assert one.split()[:4] == ["a_v1", f"({tmp_path / 'one[b].yaml'})", "0.9", "20,001"]
    assert two.split()[:4] == ["a_v1", f"({tmp_path / 'two.yaml'})", "0.8", "20,002"]
    assert disk == "Checkpoints take 12 MB at the most."
    assert [trial["config"] for trial in forecast_as_json(forecast)["trials"]] == [*plan.labels, *plan.labels]


@pytest.mark.parametrize(
    ("total_gb", "per_trial_gb", "said"),
    [
        (
            80,
            1.2,
            "1.2 GB of this H100's 80.0 GB: 66 fit by memory, with --gpus-per-trial 0.0151 or more.",
        ),
        (8, 2.5, "2.5 GB of this H100's 8.0 GB: 3 fit by memory, with --gpus-per-trial 0.3333 or more."),
        (8, 9.5, "9.5 GB of this H100's 8.0 GB: it does not fit."),
    ],
)
def test_a_plan_says_how_many_trials_a_gpu_holds(total_gb: float, per_trial_gb: float, said: str) -> None:
    """The figures are given: what is shown is the arithmetic and the words."""
    small, large = (
        GpuMemory(name="H100", total_bytes=round(total_gb * 1e9), per_trial_bytes=round(gigabytes * 1e9))
        for gigabytes in (per_trial_gb / 2, per_trial_gb)
    )
    estimates = [on_gpu(gpu) for gpu in (small, None, large)]
    assert fit_on_gpu(estimates) == f"A trial takes {said}"
    assert fit_on_gpu([estimates[1]]) is None


@pytest.mark.parametrize(
    ("evaluations", "evaluating", "start", "said"),
    [
        ((2, 9), (12.0, 70.0), 1.0, "12 s–1 min 10 s for 2–9 evaluations of 20 episodes (evaluation.every_rollouts, "),
        (
            (1, 1),
            (30.0, 30.0),
            1.0,
            "30 s for 1 evaluation of 20 episodes (evaluation.every_rollouts, evaluation.episodes).",
        ),
        ((1, 1), (30.0, 30.0), 20.0, "evaluation.episodes) and 20 s for making environments and network."),
        (
            (1, 1),
            (5.0, 9.0),
            11.0,
            "A trial's time includes 11 s for making environments and network. Before its first trial, a process takes "
            "12 s to import libraries.",
        ),
        ((1, 1), (5.0, 9.0), 8.0, None),
        ((0, 0), (0.0, 0.0), 0.0, None),
        ((1, 1), None, 0.0, None),
    ],
)
def test_what_takes_a_good_part_of_the_time_is_said(
    evaluations: tuple[int, int], evaluating: tuple[float, float] | None, start: float, said: str | None
) -> None:
    shorter, longer = (
        replace(
            on_gpu(None),
            evaluations=evaluations,
            evaluation_seconds=evaluating,
            start_seconds=start,
            import_seconds=start + 1,
            seconds=(seconds / 2, seconds),
        )
        for seconds in (10.0, 100.0)
    )
    short = replace(longer, evaluation_seconds=(0.1, 0.9), start_seconds=0.9, import_seconds=0.9, seconds=(1.0, 1.0))
    assert time_note([short], EvaluationConfig()) is None
    note = time_note([shorter, longer, on_gpu(None)], EvaluationConfig())
    assert (note is None) if said is None else (said in str(note)), note


def test_evaluations_for_the_score_are_not_taken_for_periodic_ones() -> None:
    of = replace(
        on_gpu(None), evaluations=(0, 0), evaluation_episodes=(200, 200), evaluation_seconds=(0, 12), seconds=(9, 21)
    )
    assert time_note([of], EvaluationConfig()) == (
        "A trial's time includes 0 s–12 s for 200 episodes of evaluations for the score."
    )


def on_gpu(gpu: GpuMemory | None) -> Estimate:
    return Estimate(
        env_steps=None,
        nominal_env_steps=None,
        updates=None,
        peak_memory_bytes=1,
        checkpoint_bytes=1,
        seconds=None,
        gpu=gpu,
    )


@pytest.mark.parametrize(
    ("gpus_per_trial", "share"),
    [(0.0, None), (0.0016, "0.0017"), (0.0017, None), (0.3, None), (1.0, None), (2.0, None)],
)
def test_a_plan_warns_of_more_trials_than_a_gpu_holds(gpus_per_trial: float, share: str | None) -> None:
    """600 fit; Ray counts a GPU in ten-thousandths, of which 16 would let 625 on it."""
    holds_600 = on_gpu(GpuMemory(name="H100", total_bytes=600, per_trial_bytes=1))
    warnings = gpu_warnings([on_gpu(None), holds_600], gpus_per_trial)
    expected = f"puts 625 trials on a GPU with memory for 600; use {share} or more."
    assert [expected in warning for warning in warnings] == [True] * (share is not None)


def test_no_share_of_a_gpu_makes_a_trial_fit_that_does_not() -> None:
    assert gpu_warnings([on_gpu(GpuMemory(name="H100", total_bytes=1, per_trial_bytes=2))], 0.5) == ()


@pytest.mark.parametrize(
    ("command", "next_call"),
    [
        ("plan", "rlsweep.cli.planning.measure"),
        ("submit", "rlsweep.api.submit.submit"),
        ("race", "rlsweep.api.race.race"),
    ],
)
def test_what_is_planned_is_told_before_anything_is_measured(
    command: str, next_call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measures(*_: object, **__: object) -> None:
        raise InputError("too early to measure")

    monkeypatch.setattr(next_call, measures)
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({**BASE, "name": name, "sweep_variant": name}))
    done = call((command, "one.yaml", "two.yaml", "--total-timesteps", "64"), {}, tmp_path, Terminal)
    assert done.code == 2
    assert "too early to measure" in done.stderr
    assert done.stdout.startswith("2 trials: 2 configs × 1 seed on ")


def test_a_plan_says_what_its_configs_are_drawn_from() -> None:
    space = {"gamma": {"choice": [0.9, 0.95]}}
    plan = planned({"base": BASE, "space": space, "sampler": "random", "seed": 4})
    forecast = Forecast(plan=plan, estimates=None, warnings=(), facts={})
    out = io.StringIO()
    print_forecast(forecast, Console(file=out, width=80))
    assert "Drawn next to a_v1 from configs[0], by random with seed 4.\n" in out.getvalue()
    assert "a_gamma_0.95" in out.getvalue()
    assert forecast_as_json(forecast)["space"]["space"] == space


@pytest.mark.parametrize(("configs", "drawn"), [(2, "none of so few configs"), (20, "12 more while the race runs")])
def test_a_plan_says_how_many_configs_are_drawn_from_scores(configs: int, drawn: str) -> None:
    space = {"learning_rate": {"log": [1e-4, 1e-2]}}
    out = io.StringIO()
    given = {"base": BASE, "space": space, "sampler": "tpe", "configs": configs}
    print_head_at_once(planned(given), Console(file=out, width=80, force_terminal=True, color_system=None))
    assert f"Drawn evenly next to a_v1 from configs[0], with seed 0; tpe draws {drawn}.\n" in out.getvalue()
