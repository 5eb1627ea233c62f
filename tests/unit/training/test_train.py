from pathlib import Path

import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rlsweep.config.run import Budget, Mode
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import ConfigError, DivergedError
from rlsweep.runs import Outcome, RunStatus
from rlsweep.training.fast.ppo import FastMaskablePPO
from tests.list_recorder import ListRecorder


def scripted(**kwargs: object) -> EnvironmentSpec:
    return EnvironmentSpec(id="Scripted-v0", kwargs=kwargs)


def weights(path: str) -> dict[str, torch.Tensor]:
    return MaskablePPO.load(path, device="cpu").policy.state_dict()


def assert_same_weights(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name].cpu(), other[name].cpu()) for name in one)


@pytest.mark.parametrize("n_envs", [1, 4])
def test_an_episode_budget_ends_with_exactly_so_many_episodes(make_config, run, n_envs):
    result, recorder = run(make_config(environment=scripted(length=5), episodes=30, n_envs=n_envs))
    assert result.status is RunStatus.COMPLETED
    assert result.episodes == len(recorder.episodes) == 30
    assert [episode.episode for episode in recorder.episodes] == list(range(1, 31))
    assert all(episode.length == 5 and episode.reward == 5.0 for episode in recorder.episodes)
    # 4 environments end 4 episodes in each 20th step: the 30th ends in the 8th such step
    assert result.env_steps == recorder.episodes[-1].env_steps == (150 if n_envs == 1 else 160)
    assert result.updates == len(recorder.updates) == result.env_steps // (32 * n_envs)


def test_a_step_budget_completes_its_last_rollout_as_stock_does(make_config, run):
    result, recorder = run(make_config(total_timesteps=33))
    assert (result.env_steps, result.updates) == (64, 2)
    assert [update.env_steps for update in recorder.updates] == [32, 64]
    assert [update.update for update in recorder.updates] == [1, 2]


def test_whichever_budget_is_spent_first_ends_the_run(make_config, run):
    by_episodes, _ = run(make_config(environment=scripted(length=5), episodes=8, total_timesteps=3200))
    assert (by_episodes.episodes, by_episodes.env_steps) == (8, 40)
    by_steps, _ = run(make_config(environment=scripted(length=5), episodes=800, total_timesteps=64))
    assert (by_steps.episodes, by_steps.env_steps) == (12, 64)
    assert by_steps.updates == 2, "the rollout that the cap completes is learnt from"


@pytest.mark.parametrize(("n_envs", "env_steps", "updates"), [(1, 50, 1), (4, 52, 0)])
def test_a_step_budget_beside_an_episode_budget_is_never_exceeded(make_config, run, n_envs, env_steps, updates):
    config = make_config(environment=scripted(length=5), episodes=800, total_timesteps=50, n_envs=n_envs)
    result, _ = run(config)
    assert result.status is RunStatus.COMPLETED
    assert (result.env_steps, result.updates) == (env_steps, updates)


def test_outcomes_are_recorded(make_config, run):
    _, recorder = run(make_config(environment=scripted(), episodes=40))
    assert {episode.outcome for episode in recorder.episodes} == {Outcome.WIN, Outcome.LOSS}
    _, recorder = run(make_config(episodes=3))
    assert {episode.outcome for episode in recorder.episodes} == {None}


def test_schedules_follow_episodes_under_an_episode_budget(make_config, run):
    config = make_config(
        environment=scripted(length=5),
        episodes=40,
        agent={"learning_rate": "linear_0.01", "ppo": {"clip_range": "linear_0.2"}},
    )
    _, recorder = run(config)
    done = [32 * update // 5 for update in range(1, 7)]
    assert [update.learning_rate for update in recorder.updates] == pytest.approx([0.01 * (1 - n / 40) for n in done])


def test_schedules_follow_steps_under_a_step_budget(make_config, run):
    _, recorder = run(make_config(total_timesteps=100, agent={"learning_rate": "linear_0.01"}))
    assert [update.learning_rate for update in recorder.updates] == pytest.approx([0.0068, 0.0036, 0.0004, 0.0])


@pytest.mark.parametrize("engine", ["stock", "fast"])
def test_a_kept_schedule_runs_over_the_earlier_budget_and_stays_at_zero(make_config, run, engine):
    agent = {"learning_rate": "linear_0.01", "ppo": {"clip_range": "linear_0.2"}}
    config = make_config(total_timesteps=128, engine=engine, agent=agent)
    whole, recorder = run(config, folder="whole")
    rates = [update.learning_rate for update in recorder.updates]
    assert rates == pytest.approx([0.0075, 0.005, 0.0025, 0.0])

    def grown(timesteps, checkpoint):
        update = {"budget": Budget(total_timesteps=timesteps), "schedule_budget": config.budget}
        return run(config.model_copy(update=update), folder="pieces", resume_from=checkpoint)

    first, recorder = grown(64, None)
    assert [update.learning_rate for update in recorder.updates] == rates[:2]
    second, recorder = grown(128, Path(first.checkpoint.uri))
    assert [update.learning_rate for update in recorder.updates] == rates[2:]
    assert_same_weights(weights(second.checkpoint.uri), weights(whole.checkpoint.uri))
    third, recorder = grown(192, Path(second.checkpoint.uri))
    assert [update.learning_rate for update in recorder.updates] == [0.0, 0.0]
    assert third.env_steps == 192
    assert_same_weights(weights(third.checkpoint.uri), weights(whole.checkpoint.uri))


ENGINES = [("stock", MaskablePPO), ("fast", FastMaskablePPO)]


@pytest.mark.parametrize(("engine", "algorithm"), ENGINES)
@pytest.mark.parametrize("n_envs", [1, 3])
@pytest.mark.parametrize("mode", list(Mode))
def test_learns_bit_for_bit_what_the_bare_algorithm_learns(make_config, run, mode, n_envs, engine, algorithm):
    config = make_config(
        engine=engine,
        environment="open_spiel/connect_four",
        mode=mode,
        total_timesteps=200,
        n_envs=n_envs,
        agent={"learning_rate": "linear_0.01"},
        evaluation={"every_rollouts": 1, "episodes": 2},
        checkpoint_interval_episodes=2,
    )
    result, _ = run(config)

    spec = config.training.environment
    env = DummyVecEnv([lambda index=index: make_env(spec, seed=index) for index in range(n_envs)])
    bare = algorithm(
        "MlpPolicy",
        env,
        learning_rate=LinearSchedule(0.01, 0.0, 1.0),
        n_steps=32,
        batch_size=16,
        n_epochs=2,
        ent_coef=0.01,
        seed=config.seed,
        policy_kwargs={"net_arch": [8], "activation_fn": torch.nn.Tanh},
    )
    env.seed(config.seed * n_envs)
    bare.learn(200)
    assert result.env_steps == bare.num_timesteps
    assert_same_weights(weights(result.checkpoint.uri), bare.policy.state_dict())


def test_seeds_decide_everything(make_config, run):
    def trained(seed: int, folder: str) -> tuple[dict[str, torch.Tensor], list[float]]:
        result, recorder = run(make_config(total_timesteps=64, seed=seed), folder=folder)
        return weights(result.checkpoint.uri), [episode.reward for episode in recorder.episodes]

    first, again, other = trained(1, "first"), trained(1, "again"), trained(2, "other")
    assert_same_weights(first[0], again[0])
    assert first[1] == again[1]
    assert not torch.equal(first[0]["action_net.weight"], other[0]["action_net.weight"])


def test_a_requested_stop_ends_the_run_at_the_next_step(make_config, run):
    class StopsAfterTwoEpisodes(ListRecorder):
        def add_episodes(self, episodes):
            super().add_episodes(episodes)
            self.stop_requested = len(self.episodes) >= 2

    result, recorder = run(make_config(environment=scripted(length=5), episodes=50), recorder=StopsAfterTwoEpisodes())
    assert result.status is RunStatus.STOPPED
    assert (result.episodes, result.env_steps) == (2, 10)
    assert recorder.checkpoints == [result.checkpoint]
    assert Path(result.checkpoint.uri).exists()


@pytest.mark.filterwarnings("ignore:invalid value encountered in subtract:RuntimeWarning:numpy")
@pytest.mark.parametrize("poison", [float("inf"), float("nan")])
@pytest.mark.parametrize("normalized", [False, True])
def test_a_reward_that_is_not_finite_ends_the_run_and_names_the_episode(make_config, run, poison, normalized):
    recorder = ListRecorder()
    config = make_config(
        environment=scripted(poison=poison, poison_at=62), episodes=50, n_envs=1, normalize_rewards=normalized
    )
    with pytest.raises(DivergedError, match=r"NaN or infinite, .* at env step 62, in episode 13, before update 2"):
        run(config, recorder=recorder)
    assert len(recorder.episodes) == 12


@pytest.mark.parametrize("engine", ["stock", "fast"])
def test_an_observation_that_is_not_finite_is_named(make_config, run, engine):
    config = make_config(
        engine=engine,
        environment=scripted(poison=float("nan"), poison_at=42, poisons="observation"),
        total_timesteps=96,
    )
    with pytest.raises(DivergedError, match=r"Scripted-v0' gave an observation .* at env step 42"):
        run(config)


def test_a_loss_that_is_not_finite_ends_the_run_and_names_the_update(make_config, run):
    config = make_config(total_timesteps=6400, agent={"learning_rate": 1e20, "ppo": {"max_grad_norm": 1e9}})
    recorder = ListRecorder()
    with pytest.raises(DivergedError, match=r"Training diverged at update \d+ "):
        run(config, recorder=recorder)
    assert all(np.isfinite([update.policy_loss, update.value_loss]).all() for update in recorder.updates)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": scripted(length=1, reward=3e19)}, "the value loss became inf"),
        # RMSprop's first step is ten times the learning rate: more than float32 holds
        ({"algorithm": "A2C", "agent": {"learning_rate": 3e38}}, "the network's weights became NaN or infinite"),
    ],
)
def test_the_update_that_went_wrong_is_named_even_where_it_ran_to_its_end(make_config, run, changes, message):
    one_minibatch = {"n_epochs": 1, "batch_size": 32, **changes.get("agent", {})}
    recorder = ListRecorder()
    with pytest.raises(DivergedError, match=rf"diverged at update 1 \(32 env steps\): {message}"):
        run(make_config(total_timesteps=32, **{**changes, "agent": one_minibatch}), recorder=recorder)
    assert not recorder.updates
    assert not recorder.checkpoints


def test_a_smoke_run_logs_in_detail_and_evaluates_nothing(make_config, run, tmp_path: Path):
    config = make_config(
        mode=Mode.SMOKE, episodes=10, checkpoint_interval_episodes=1, evaluation={"every_rollouts": 1, "episodes": 1}
    )
    _, recorder = run(config)
    assert not recorder.evaluations
    assert len(recorder.checkpoints) == 1
    log = (tmp_path / "run" / "tensorboard" / "train.log").read_text()
    assert log.count("value_loss") == len(recorder.updates) > 1


def test_a_full_run_evaluates_every_so_many_rollouts_and_keeps_the_best(make_config, run, tmp_path: Path):
    config = make_config(total_timesteps=32 * 6, evaluation={"every_rollouts": 2, "episodes": 3})
    _, recorder = run(config)
    assert [evaluation.env_steps for evaluation in recorder.evaluations] == [64, 128, 192]
    assert all(evaluation.episodes == 3 for evaluation in recorder.evaluations)
    best = max(recorder.evaluations, key=lambda evaluation: evaluation.mean_reward)
    assert recorder.evaluations[0].is_best
    assert best.is_best
    assert MaskablePPO.load(tmp_path / "run" / "checkpoints" / "best.zip").num_timesteps == best.env_steps


@pytest.mark.parametrize("algorithm", ["PPO", "A2C"])
def test_trains_algorithms_without_masks(make_config, run, algorithm):
    _, recorder = run(make_config(algorithm=algorithm, total_timesteps=96))
    assert len(recorder.updates) == 3
    last = recorder.updates[-1]
    assert (last.approx_kl is None) == (last.clip_fraction is None) == (algorithm == "A2C")
    assert last.entropy > 0


@pytest.mark.parametrize(
    ("algorithm", "engine", "target_kl", "steps"),
    [("MaskablePPO", "fast", None, 8), ("MaskablePPO", "stock", None, 8), ("A2C", "auto", None, 1)]
    + [("MaskablePPO", engine, 1e-5, 1) for engine in ("fast", "stock")],
)
def test_gradient_steps_are_counted_where_target_kl_ends_an_update(
    make_config, run, algorithm, engine, target_kl, steps
):
    ppo = {} if target_kl is None else {"ppo": {"target_kl": target_kl}}
    agent = {"n_steps": 32, "batch_size": 16, "n_epochs": 4, "learning_rate": 0.01, **ppo}
    _, recorder = run(make_config(algorithm=algorithm, agent=agent, engine=engine, total_timesteps=96))
    assert [update.gradient_steps for update in recorder.updates] == [steps] * 3


def test_rewards_are_recorded_as_the_environment_gave_them(make_config, run):
    config = make_config(
        environment=scripted(length=5, reward=40.0), episodes=20, normalize_observations=True, normalize_rewards=True
    )
    result, recorder = run(config)
    assert [episode.reward for episode in recorder.episodes] == [200.0] * 20
    assert result.episodes == 20


@pytest.mark.parametrize(("engine", "algorithm"), ENGINES)
def test_normalization_learns_what_the_bare_algorithm_learns(make_config, run, engine, algorithm):
    config = make_config(engine=engine, total_timesteps=96, normalize_observations=True, normalize_rewards=True, seed=0)
    result, _ = run(config)
    env = VecNormalize(DummyVecEnv([lambda: make_env(config.training.environment, seed=0)]), gamma=0.99)
    bare = algorithm(
        "MlpPolicy",
        env,
        n_steps=32,
        batch_size=16,
        n_epochs=2,
        ent_coef=0.01,
        seed=0,
        policy_kwargs={"net_arch": [8], "activation_fn": torch.nn.Tanh},
    )
    bare.learn(96)
    assert_same_weights(weights(result.checkpoint.uri), bare.policy.state_dict())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"environment": "Pendulum-v1"}, "MaskablePPO needs action masks; 'Pendulum-v1' has none, .* Use PPO"),
        ({"agent": {"network": {"policy": "CnnPolicy", "net_arch": [8]}}}, "cannot be built for 'CartPole-v1' from"),
        pytest.param(
            {"device": "cuda:0"},
            "device: torch finds no cuda:0 on this machine",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here"),
        ),
    ],
)
def test_what_the_algorithm_refuses_is_the_users_to_read(make_config, run, changes, message):
    with pytest.raises(ConfigError, match=message):
        run(make_config(total_timesteps=32, **changes))
