import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rlsweep.config.run import Mode, ScoreEvaluation
from rlsweep.planning.estimate import Estimate, GpuMemory, Measurement, budget_warnings, estimate, evaluation_warnings
from rlsweep.planning.plan import Plan, make_plan

Write = Callable[..., Path]
MEASURED = Measurement(
    episodes=500,
    mean_episode_length=9.5,
    env_seconds_per_step=0.001,
    policy_seconds_per_step=0.002,
    minibatch_seconds=0.01,
    peak_memory_bytes=350_000_000,
    checkpoint_bytes=2_000_000,
    n_actions=7,
    observation_size=126,
)


def plan(*agents: Path, **options: Any) -> Plan:
    defaults: dict[str, Any] = {
        "base_config": None,
        "mode": Mode.FULL,
        "episodes": None,
        "total_timesteps": None,
        "seeds": 1,
        "with_base": False,
    }
    return make_plan([str(agent) for agent in agents], **(defaults | options))


def estimated(agent: Path, measured: Measurement = MEASURED, **options: Any) -> Estimate:
    return estimate(plan(agent, **options).trials[0].config, measured)


def test_round_trip() -> None:
    on_gpu = replace(MEASURED, gpu=GpuMemory(name="H100", total_bytes=80, per_trial_bytes=1))
    for measured in (MEASURED, on_gpu):
        assert Measurement.from_dict(json.loads(json.dumps(measured.as_dict()))) == measured


def test_an_episode_budget_is_a_range(write_agent: Write) -> None:
    found = estimated(write_agent(n_steps=100, batch_size=30, n_epochs=2), episodes=100)
    assert found.env_steps == (475, 1900)
    assert found.nominal_env_steps == 950
    assert found.updates == (4, 19)
    assert found.seconds == pytest.approx((475 * 0.003 + 4 * 2 * 4 * 0.01, 1900 * 0.003 + 19 * 2 * 4 * 0.01))
    assert found.peak_memory_bytes == 350_000_000


def test_episodes_of_one_length_are_no_range(write_agent: Write) -> None:
    found = estimated(write_agent(), replace(MEASURED, fixed_episode_length=True), episodes=100)
    assert found.env_steps == (950, 950)


def test_a_step_budget_ends_with_its_rollout(write_agent: Write) -> None:
    found = estimated(write_agent(n_steps=100), total_timesteps=950, overrides=["n_envs=2"])
    assert found.env_steps == (1000, 1000)
    assert found.updates == (5, 5)


def test_the_budget_reached_first_counts(write_agent: Write) -> None:
    found = estimated(write_agent(n_steps=100), episodes=100, total_timesteps=1000)
    assert found.env_steps == (475, 1000)
    cut_off = estimated(write_agent(n_steps=100), episodes=1000, total_timesteps=950, overrides=["n_envs=4"])
    assert cut_off.env_steps == (952, 952)
    assert cut_off.updates == (2, 2)


def test_episodes_no_longer_than_allowed(write_agent: Write) -> None:
    found = estimated(write_agent(), episodes=100, overrides=["max_steps_per_episode=12"])
    assert found.env_steps == (475, 1200)


def test_no_episode_ended_while_measuring(write_agent: Write) -> None:
    endless = replace(MEASURED, episodes=0, mean_episode_length=None)
    found = estimated(write_agent(), endless, episodes=100)
    assert (found.env_steps, found.nominal_env_steps, found.updates, found.seconds) == (None, None, None, None)
    bounded = estimated(write_agent(), endless, episodes=100, overrides=["max_steps_per_episode=50"])
    assert bounded.env_steps == (100, 5000)
    assert estimated(write_agent(), endless, episodes=1, total_timesteps=1000).env_steps == (1000, 1000)


def test_a2c_learns_once_from_a_rollout(write_agent: Write) -> None:
    found = estimated(write_agent(algorithm="A2C", n_steps=10), total_timesteps=100)
    assert found.seconds == pytest.approx((100 * 0.003 + 10 * 0.01,) * 2)


def test_gradient_steps_that_change_are_summed(write_agent: Write) -> None:
    agent = write_agent(n_steps=100, batch_size={0: 50, 200: 25}, n_epochs={0: 3, 301: 1})
    found = estimated(agent, total_timesteps=600)
    # two updates of 3 × 2 minibatches, two of 3 × 4 of half the size, two of 1 × 4 of half the size
    assert found.seconds == pytest.approx((600 * 0.003 + (12 + 12 + 4) * 0.01,) * 2)


EVALUATED = replace(MEASURED, evaluation_seconds_per_step=0.01, import_seconds=7.0, start_seconds=2.0, make_seconds=0.5)


def test_the_time_includes_evaluations_and_the_start(write_agent: Write) -> None:
    agent = write_agent(n_steps=100, batch_size=50, n_epochs=1)
    every = ["evaluation.every_rollouts=2", "evaluation.episodes=3"]
    found = estimated(agent, EVALUATED, total_timesteps=1000, overrides=every)
    assert found.evaluations == (5, 5)
    # 5 evaluations of 3 episodes, which may be half or twice as long as those of random play
    assert found.evaluation_seconds == pytest.approx((5 * 3 * 4.75 * 0.01, 5 * 3 * 19 * 0.01))
    assert found.import_seconds == 7.0  # of a process: its next trials do not pay it again
    assert found.start_seconds == 2.0 + 2 * 0.5  # one instance checks copies, one is for the evaluations
    training = 1000 * 0.003 + 10 * 2 * 0.01
    assert found.seconds == pytest.approx((3.0 + training + 0.7125, 3.0 + training + 2.85))
    for of_none in ({"mode": Mode.SMOKE}, {"overrides": ["evaluation.enabled=false"]}):
        without = estimated(agent, EVALUATED, total_timesteps=1000, **of_none)
        assert (without.evaluations, without.evaluation_seconds) == ((0, 0), (0.0, 0.0))
        assert without.seconds == pytest.approx((without.start_seconds + training,) * 2)


@pytest.mark.parametrize(("mode", "periodic"), [(Mode.SMOKE, 0), (Mode.FULL, 5)])
def test_evaluations_for_the_score_take_time_in_either_mode(write_agent: Write, mode: Mode, periodic: int) -> None:
    every = ["evaluation.every_rollouts=2", "evaluation.episodes=3"]
    made = plan(write_agent(n_steps=100), mode=mode, total_timesteps=1000, overrides=every).trials[0].config
    config = made.model_copy(update={"score_evaluation": ScoreEvaluation(at=(0.5, 1.0), episodes=50)})
    found = estimate(config, EVALUATED)
    played = periodic * 3 + 2 * 50
    assert (found.evaluations, found.evaluation_episodes) == ((periodic, periodic), (played, played))
    assert found.evaluation_seconds == pytest.approx((played * 4.75 * 0.01, played * 19 * 0.01))
    assert found.start_seconds == 2.0 + 2 * 0.5
    endless = replace(EVALUATED, episodes=0, mean_episode_length=None)
    assert estimate(config, endless).evaluation_seconds is None


def test_a_trained_policy_may_play_as_long_as_the_environment_allows(write_agent: Write) -> None:
    def evaluating(measured: Measurement, *overrides: str) -> Any:
        return estimated(
            write_agent(n_steps=100),
            measured,
            total_timesteps=100,
            overrides=["evaluation.every_rollouts=1", *overrides],
        ).evaluation_seconds

    limited = replace(EVALUATED, episode_limit=500)
    assert evaluating(limited) == pytest.approx((20 * 4.75 * 0.01, 20 * 500 * 0.01))
    assert evaluating(limited, "max_steps_per_episode=100")[1] == pytest.approx(20 * 100 * 0.01)
    assert evaluating(replace(limited, fixed_episode_length=True)) == pytest.approx((20 * 9.5 * 0.01,) * 2)
    none_ended = replace(limited, episodes=0, mean_episode_length=None)
    assert evaluating(none_ended) == pytest.approx((20 * 0.01, 20 * 500 * 0.01))


def test_an_evaluation_that_may_never_end_is_said(write_agent: Write) -> None:
    endless = replace(EVALUATED, episodes=0, mean_episode_length=None)
    made = plan(write_agent(n_steps=100), total_timesteps=2000)
    found = estimate(made.trials[0].config, endless)
    assert (found.evaluations, found.evaluation_seconds) == ((2, 2), None)
    (said,) = evaluation_warnings(made, [found])
    assert "an evaluation plays 20 episodes to the end: its time is unknown" in said
    assert "max_steps_per_episode" in said
    assert evaluation_warnings(made, [estimate(made.trials[0].config, EVALUATED)]) == ()
    seldom = plan(write_agent(n_steps=100), total_timesteps=500)
    assert evaluation_warnings(seldom, [estimate(seldom.trials[0].config, endless)]) == ()


def budget_said(*agents: Path, **options: Any) -> tuple[str, ...]:
    made = plan(*agents, **options)
    return budget_warnings(made, [estimate(trial.config, MEASURED) for trial in made.trials])


def test_too_few_updates(write_agent: Write) -> None:
    assert budget_said(write_agent(), episodes=100) == (
        "100 episodes of open_spiel/connect_four are about 950 env steps: no policy update at n_steps 2048. "
        "Ten updates need about 2,200 episodes (--episodes 2200) or 20,480 env steps (--total-timesteps 20480).",
    )
    assert budget_said(write_agent(), total_timesteps=2048) == (
        "2,048 env steps are one policy update at n_steps 2048. "
        "Ten updates need 20,480 env steps (--total-timesteps 20480).",
    )
    assert budget_said(write_agent(), episodes=2000) == ()
    assert budget_said(write_agent(), total_timesteps=20_480) == ()


def test_one_warning_for_like_trials(write_agent: Write) -> None:
    agents = [write_agent(sweep_variant=f"x{i}", gamma=0.9 + i / 100) for i in range(3)]
    (said,) = budget_said(*agents, episodes=100, seeds=3)
    assert said.startswith("100 episodes")
    longer = write_agent(sweep_variant="long", n_steps=4096)
    both = budget_said(*agents, longer, episodes=500, overrides=["n_envs=2"])
    assert both[0].startswith("a_long: 500 episodes")
    assert "at n_steps 4096 × n_envs 2." in both[0]
    assert both[1].startswith("a_x0, a_x1, a_x2: 500 episodes")


def test_no_warning_where_nothing_is_known(write_agent: Write) -> None:
    made = plan(write_agent(), episodes=100)
    unknown = estimate(made.trials[0].config, replace(MEASURED, mean_episode_length=None))
    assert budget_warnings(made, [unknown]) == ()


@pytest.mark.parametrize(
    ("options", "base", "kept"),
    [
        ({"mode": Mode.SMOKE}, {}, 1),
        ({"mode": Mode.FULL}, {}, 6),  # three, one on record before them, one that is written, and the best
        ({"mode": Mode.FULL}, {"keep_last_n_checkpoints": 7, "evaluation": {"enabled": False}}, 9),
    ],
)
def test_checkpoints_are_counted_at_their_most(
    write_agent: Write, write_base: Write, options: dict[str, Any], base: dict[str, Any], kept: int
) -> None:
    expected = estimated(write_agent(), total_timesteps=20_000, base_config=write_base(**base), **options)
    assert expected.checkpoint_bytes == kept * MEASURED.checkpoint_bytes
