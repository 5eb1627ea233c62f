"""What a population is asked for, and what keeps it from being trained."""

from typing import Any, NamedTuple

import pytest
from planned_space import BASE

from rlsweep.config.run import Mode
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import Plan, make_plan
from rlsweep.planning.scheduler import SchedulerPlan, scheduler_plan
from rlsweep.planning.scheduler_options import SchedulerOptions
from rlsweep.schedulers.pbt_records import PbtSettings
from rlsweep.spaces.flags import SpaceFlags

SPACE: dict[str, Any] = {
    "base": {**BASE, "n_steps": 64},
    "space": {"learning_rate": {"log": [1e-5, 1e-2]}, "ppo.ent_coef": {"log": [1e-4, 1e-1], "or": 0.0}},
    "configs": 4,
}


def planned(*given: dict[str, Any], seeds: int = 1, members: int | None = None, **budget: int) -> Plan:
    return make_plan(
        given or [SPACE],
        base_config={"environment": {"id": "CartPole-v1"}, "seed": 7, "n_envs": 2},
        mode=Mode.SMOKE,
        episodes=budget.get("episodes"),
        total_timesteps=budget.get("total_timesteps", None if "episodes" in budget else 1024),
        seeds=seeds,
        with_base=False,
        space=SpaceFlags(population=members),
    )


class Found(NamedTuple):
    plan: Plan
    settings: PbtSettings
    scheduler: SchedulerPlan


def of(plan: Plan, population: int | None = None, interval: int | None = 256, objective: str | None = None) -> Found:
    asked = SchedulerOptions(scheduler="pbt", population=population, interval=interval, objective=objective)
    found = scheduler_plan(plan, asked)
    assert found is not None
    return Found(found.plan, PbtSettings.from_json(found.terms.settings), found)


def test_members_go_by_their_numbers_and_have_a_seed_each() -> None:
    found = of(planned())
    assert [(trial.label, trial.config.seed) for trial in found.plan.trials] == [
        (f"a_member_{number}", 6 + number) for number in range(1, 5)
    ]
    assert len({trial.key for trial in found.plan.trials}) == 4
    assert set(found.plan.differing_keys["learning_rate"]) == {trial.label for trial in found.plan.trials}
    assert (found.settings.population, found.settings.interval, found.settings.intervals) == (4, 256, 3)
    assert found.scheduler.first_pause == 0.25
    assert [found.settings.pause_after(interval, 1024) for interval in range(4)] == [0.25, 0.5, 0.75, None]
    assert found.plan.trials[0].config.score_evaluation is None
    evaluation = of(planned(), objective="evaluation-reward").plan.trials[0].config.score_evaluation
    assert evaluation is not None
    assert (evaluation.at, evaluation.episodes) == ((0.25, 0.5, 0.75, 1.0), 20)


@pytest.mark.parametrize(
    ("interval", "rounded", "intervals"), [(None, 128, 7), (1, 128, 7), (129, 256, 3), (300, 384, 2), (896, 896, 1)]
)
def test_an_interval_is_whole_rollouts(interval: int | None, rounded: int, intervals: int) -> None:
    found = of(planned(), interval=interval)
    assert (found.settings.interval, found.settings.intervals) == (rounded, intervals)
    told = [warning for warning in found.plan.warnings if "was rounded up" in warning]
    expected = f"--interval {interval} was rounded up to {rounded}, whole rollouts of 128."
    assert told == ([] if interval in (None, rounded) else [expected])


@pytest.mark.parametrize("interval", [897, 1024, 10_000])
def test_an_interval_ends_before_the_budget(interval: int) -> None:
    with pytest.raises(ConfigError, match=rf"--interval {interval}: no member pauses before its budget of 1,024 env"):
        of(planned(), interval=interval)


def test_every_problem_is_told_at_once() -> None:
    space = {
        **SPACE,
        "base": {**SPACE["base"], "learning_rate": "linear_0.001"},
        "space": {**SPACE["space"], "network.net_arch": {"choice": [[64], [32]]}, "n_steps": {"choice": [64, 128]}},
    }
    with pytest.raises(ConfigError) as caught:
        of(planned(space, seeds=2, episodes=10), population=3, interval=0)
    told = [problem.partition(":")[0] for problem in caught.value.problems]
    assert told == [
        "--seeds 2", "space.learning_rate", "space.network.net_arch", "space.n_steps", "--population 3", "--interval 0",
        "--scheduler pbt",
    ]  # fmt: skip
    assert "Those that can are learning_rate, gamma, batch_size, n_epochs, ppo.clip_range" in str(caught.value)


def test_a_key_that_cannot_change_is_told_before_it_has_too_few_values() -> None:
    with pytest.raises(ConfigError) as caught:
        planned({**SPACE, "space": {"network.net_arch": {"choice": [[64], [32]]}}}, members=8)
    assert [problem.partition(":")[0] for problem in caught.value.problems] == ["space.network.net_arch"]
    with pytest.raises(ConfigError, match="--population 8: 1,000 draws in a row brought no new config after 3"):
        planned({**SPACE, "space": {"gamma": {"choice": [0.9, 0.95]}}}, members=8)


def test_a_key_that_the_algorithm_ignores_is_refused() -> None:
    entries = {**SPACE["space"], "batch_size": {"choice": [8, 16]}}
    with pytest.raises(ConfigError, match=r"space\.batch_size: A2C does not use it; take it out"):
        of(planned({**SPACE, "base": {**SPACE["base"], "algorithm": "A2C"}, "space": entries}))


def test_members_differ_only_in_what_can_change() -> None:
    other = {**SPACE["base"], "sweep_variant": "wide", "network": {"net_arch": [512]}}
    with pytest.raises(ConfigError, match=r"network.net_arch: a member copies .* not \[256, 256\] and \[512\]"):
        of(planned(SPACE, other))


def test_a_population_takes_a_space_and_four_members() -> None:
    with pytest.raises(ConfigError, match="it changes keys of a search space, and none was given"):
        of(planned({**BASE, "n_steps": 64}))
    few = {**SPACE, "space": {"gamma": {"choice": [0.9, 0.99]}}, "sampler": "grid"}
    few.pop("configs")
    with pytest.raises(ConfigError, match=r"--population \d: the space has no more configs"):
        of(planned(few))
