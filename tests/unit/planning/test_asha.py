"""What a sweep with ASHA is asked for, as users type it, and what it will take."""

from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import rlsweep
from rlsweep.api.plan import PlanOptions, make_plan
from rlsweep.cli.app import app
from rlsweep.cli.scheduler_plan import print_scheduler, scheduler_as_json, scheduler_lines
from rlsweep.cluster.resources import Resources
from rlsweep.errors import InputError
from rlsweep.planning.asha_forecast import forecast_asha
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.forecast import Forecast, make_forecast
from rlsweep.planning.plan import Plan
from rlsweep.planning.scheduler import scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions

Write = Callable[..., Path]

BUDGET, ROLLOUT = 4096, 128


@pytest.fixture
def planned(write_agent: Write) -> Callable[..., Plan]:
    paths = [write_agent(n_steps=ROLLOUT)]
    paths += [
        write_agent(sweep_variant=f"v{number}", n_steps=ROLLOUT, learning_rate=1e-4 * number) for number in range(1, 9)
    ]

    def make(*, configs: int = 9, **options: int) -> Plan:
        given = {"total_timesteps": BUDGET} | options
        return make_plan([str(path) for path in paths[:configs]], PlanOptions(**given))

    return make


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rungs": 1}, "--rungs 1: give 2 to 20"),
        ({"rungs": 21}, "--rungs 21: give 2 to 20"),
        ({"reduction": 1}, "--reduction 1: give 2 or more"),
        ({"rungs": 5}, "--rungs 5 --reduction 3: the lowest rung is 50.6 env steps, less than one update of"),
        ({"scheduler": "hyperband"}, "--scheduler hyperband: give one of asha, pbt"),
        ({"scheduler": "asah"}, "give one of asha, pbt; did you mean asha?"),
        ({"population": 8}, "--population 8: that is of --scheduler pbt"),
        ({"interval": 8}, "--interval 8: that is of --scheduler pbt"),
        ({"scheduler": "pbt", "rungs": 3}, "--rungs 3: that is of --scheduler asha"),
        ({"scheduler": None, "rungs": 3}, "--rungs 3: that needs a scheduler. Add --scheduler asha"),
        ({"scheduler": None, "population": 3}, "--population 3: that needs a scheduler. Add --scheduler pbt"),
        ({"scheduler": None, "objective": "win_rate"}, "--objective win_rate: that needs a scheduler"),
        ({"objective": "wins"}, "--objective wins: give one of evaluation_reward"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_way_out(planned: Callable[..., Plan], asked: dict, said: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(InputError) as refused:
        scheduler_plan(planned(), SchedulerOptions(**{"scheduler": "asha"} | asked))
    assert said in str(refused.value)


def test_a_budget_that_is_too_small_and_one_config_are_refused(planned: Callable[..., Plan]) -> None:
    with pytest.raises(InputError, match=r"--rungs 4 --reduction 3: the lowest rung is 0\.74 of 20 episodes"):
        scheduler_plan(planned(total_timesteps=None, episodes=20), SchedulerOptions(scheduler="asha"))
    with pytest.raises(InputError, match=r"ASHA compares configs, and .* is the only one"):
        scheduler_plan(planned(configs=1), SchedulerOptions(scheduler="asha"))
    assert scheduler_plan(planned(), SchedulerOptions()) is None, "none is asked for"


def test_runs_are_evaluated_at_each_rung_where_the_objective_needs_it(planned: Callable[..., Plan]) -> None:
    found = scheduler_plan(planned(seeds=2), SchedulerOptions(scheduler="asha", rungs=3, reduction=2))
    assert found is not None
    assert found.terms.settings == {"rungs": [0.25, 0.5, 1.0], "reduction": 2}
    assert found.first_pause is None, "each run waits for a decision"
    evaluations = {trial.config.score_evaluation for trial in found.plan.trials}
    assert [each.at for each in evaluations if each is not None] == [(0.25, 0.5, 1.0)]
    assert scheduler_lines(found)[1].startswith("Each run is evaluated at each rung. 100 episodes")
    training = scheduler_plan(planned(), SchedulerOptions(scheduler="asha", objective="training-reward"))
    assert training is not None
    assert all(trial.config.score_evaluation is None for trial in training.plan.trials)
    assert len(scheduler_lines(training)) == 1


def test_the_forecast_counts_who_is_expected_at_each_rung(planned: Callable[..., Plan]) -> None:
    asked = SchedulerOptions(scheduler="asha", rungs=3, reduction=3)
    found = scheduler_plan(planned(seeds=2), asked)
    assert found is not None
    measured = Measurement(
        episodes=10,
        mean_episode_length=10.0,
        env_seconds_per_step=1e-4,
        policy_seconds_per_step=1e-4,
        minibatch_seconds=1e-3,
        peak_memory_bytes=1,
        checkpoint_bytes=1_000,
        n_actions=7,
        observation_size=4,
    )
    resources = Resources(max_concurrent=2)
    forecast = make_forecast(found.plan, [measured] * 18)
    expected = forecast_asha(found, forecast, resources)
    assert [rung.env_steps for rung in expected.rungs] == [455, 1365, 4096]
    assert expected.rungs[0].configs == 9
    assert 3 <= expected.rungs[1].configs <= 6
    assert 1 <= expected.rungs[2].configs < expected.rungs[1].configs
    below, steps = 0.0, 0.0
    for rung in expected.rungs:
        steps += 2 * rung.configs * ((rung.share - below) * BUDGET + 100 * 10)
        below = rung.share
    assert expected.env_steps == pytest.approx(steps), "two seeds, each with 100 episodes of 10 env steps at a rung"
    assert expected.grid_env_steps == 18 * (BUDGET + 100 * 10), "each run is evaluated at its end"
    assert expected.seconds is not None
    assert expected.grid_seconds is not None
    assert expected.seconds < expected.grid_seconds
    shown = scheduler_as_json(found, forecast, resources)
    assert shown["forecast"]["rungs"][0]["configs"] == 9
    out = Console(width=80)
    with out.capture() as printed:
        print_scheduler(found, forecast, out, resources)
    rows = [line.split() for line in printed.get().splitlines() if line.lstrip()[:1].isdigit()]
    assert rows[0] == ["1", "455", "9"]
    assert [row[2:] for row in rows[1:]] == [["about", str(round(rung.configs))] for rung in expected.rungs[1:]]

    unknown = forecast_asha(found, Forecast(plan=found.plan, estimates=None, warnings=()), resources)
    assert (unknown.env_steps, unknown.seconds, unknown.rungs[0].env_steps) == (None, None, 455), "the budget is known"


def test_python_asks_as_the_command_line_does(planned: Callable[..., Plan]) -> None:
    agent = planned(configs=1).trials[0].config.agent.model_dump(mode="json")
    for call in (rlsweep.plan, rlsweep.submit):
        with pytest.raises(InputError, match="--rungs 3: that needs a scheduler"):
            call([agent], environment="CartPole-v1", total_timesteps=BUDGET, rungs=3)
        with pytest.raises(InputError, match=r"ASHA compares configs, and .* is the only one"):
            call([agent], environment="CartPole-v1", total_timesteps=BUDGET, scheduler="asha", rungs=3, reduction=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("race", "x.yaml", "--scheduler", "asha"), "--scheduler asha: a race decides by itself what is trained."),
        (("plan", "x.yaml", "--race", "--scheduler", "asha"), "--race: a race decides by itself what is trained."),
        (("plan", "x.yaml", "--race", "--rungs", "3"), "--race: a race decides by itself what is trained."),
    ],
)
def test_a_race_has_no_scheduler(arguments: tuple[str, ...], said: str) -> None:
    assert said in str(CliRunner().invoke(app, arguments).exception)


def test_the_help_of_a_race_does_not_offer_a_scheduler() -> None:
    assert "--scheduler" in CliRunner().invoke(app, ["submit", "--help"]).output
    assert "--scheduler" not in CliRunner().invoke(app, ["race", "--help"]).output
