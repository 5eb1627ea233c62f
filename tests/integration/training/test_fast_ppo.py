"""FastMaskablePPO as a user of MaskablePPO meets it: its distribution, files, callbacks, environments and limits."""

import copy
import warnings
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from sb3_contrib.common.maskable.distributions import MaskableCategorical
from sb3_contrib.common.wrappers import ActionMasker
from scipy.stats import chisquare
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from rlsweep.errors import EnvironmentStateError
from rlsweep.training.fast.categorical_loops import sample_actions
from rlsweep.training.fast.legal import LegalActionsOf
from rlsweep.training.fast.ppo import FastMaskablePPO
from tests.integration.training.masked_env import MaskedEnv

SMALL: dict[str, Any] = {
    "n_steps": 32, "batch_size": 16, "n_epochs": 2, "seed": 0, "device": "cpu", "policy_kwargs": {"net_arch": [16]},
}  # fmt: skip


def small(algorithm: type[MaskablePPO], env: Any = None, **options: Any) -> MaskablePPO:
    return algorithm("MlpPolicy", env or DummyVecEnv([lambda: MaskedEnv(9)] * 2), **SMALL | options)


def weights(model: MaskablePPO) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.policy.state_dict().items()}


def assert_close(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor], tolerance: float = 0.0) -> None:
    assert a.keys() == b.keys()
    for name, tensor in a.items():
        torch.testing.assert_close(tensor, b[name], rtol=0, atol=tolerance)


# the action distribution


def drawn(logits: np.ndarray, legal: list[int], uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Actions and log-probabilities from a head whose weights are its logits."""
    samples, actions = len(uniforms), len(logits)
    chosen, log_probs = np.empty((samples, 1), np.int64), np.empty(samples, logits.dtype)
    sample_actions(
        np.zeros((samples, 1), logits.dtype),
        np.zeros((actions, 1), logits.dtype),
        logits,
        np.tile(np.array(legal, np.int32), samples),
        np.arange(samples + 1, dtype=np.int64) * len(legal),
        uniforms[:, None],
        chosen,
        log_probs,
    )
    return chosen[:, 0], log_probs


def test_samples_follow_the_masked_distribution() -> None:
    random = np.random.default_rng(5)
    logits = random.normal(0, 1.5, 40).astype(np.float32)
    legal = sorted(random.choice(40, 11, replace=False).tolist())
    mask = np.isin(np.arange(40), legal)
    expected = MaskableCategorical(logits=torch.from_numpy(logits)[None], masks=mask[None])
    samples = 200_000
    chosen, log_probs = drawn(logits, legal, random.random(samples))
    assert mask[chosen].all()
    frequencies = np.bincount(chosen, minlength=40)[legal]
    assert chisquare(frequencies, expected.probs[0, legal].double().numpy() * samples, sum_check=False).pvalue > 1e-3
    np.testing.assert_allclose(log_probs, expected.log_prob(torch.from_numpy(chosen)).numpy(), atol=1e-5)


@pytest.mark.parametrize("uniform", [0.0, 0.5, np.nextafter(1.0, 0.0)])
def test_every_draw_is_legal_even_at_the_ends(uniform: float) -> None:
    logits = np.array([50.0, -50.0, 0.0, 50.0], np.float32)
    chosen, _ = drawn(logits, [1, 2], np.array([uniform]))
    assert chosen[0] in (1, 2)


def test_what_a_rollout_records_is_what_stock_computes_of_it() -> None:
    model = small(FastMaskablePPO, DummyVecEnv([lambda: MaskedEnv(700, legal=60)] * 3))
    _, callback = model._setup_learn(1000)
    assert model.collect_rollouts(model.env, callback, model.rollout_buffer, model.n_steps)
    buffer = model.rollout_buffer
    masks = np.zeros((32 * 3, 700), np.bool_)
    for row, (begin, end) in enumerate(zip(buffer.legal.starts, buffer.legal.starts[1:], strict=False)):
        masks[row, buffer.legal.actions[begin:end]] = True
    with torch.no_grad():
        values, log_probs, _ = model.policy.evaluate_actions(
            torch.from_numpy(buffer.observations.reshape(96, -1)),
            torch.from_numpy(buffer.actions.reshape(96)).long(),
            action_masks=masks,
        )
    np.testing.assert_allclose(buffer.values.reshape(96), values[:, 0].numpy(), atol=1e-5)
    np.testing.assert_allclose(buffer.log_probs.reshape(96), log_probs.numpy(), atol=1e-5)


def test_advantages_are_stocks() -> None:
    random = np.random.default_rng(0)
    fast, stock = small(FastMaskablePPO).rollout_buffer, small(MaskablePPO).rollout_buffer
    for buffer in (fast, stock):
        buffer.reset()
    for name in ("rewards", "values"):
        given = random.normal(size=fast.rewards.shape).astype(np.float32)
        setattr(fast, name, given)
        setattr(stock, name, given)
    fast.episode_starts = stock.episode_starts = (random.random(fast.rewards.shape) < 0.2).astype(np.float32)
    last = torch.from_numpy(random.normal(size=(2, 1)).astype(np.float32))
    for buffer in (fast, stock):
        buffer.compute_returns_and_advantage(last, np.array([True, False]))
    np.testing.assert_allclose(fast.advantages, stock.advantages, atol=1e-5)
    np.testing.assert_allclose(fast.returns, stock.returns, atol=1e-5)


# files


@pytest.mark.parametrize(("writer", "reader"), [(FastMaskablePPO, MaskablePPO), (MaskablePPO, FastMaskablePPO)])
def test_files_go_both_ways_and_training_goes_on(
    writer: type[MaskablePPO], reader: type[MaskablePPO], tmp_path: Path
) -> None:
    model = small(writer)
    model.learn(128)
    model.save(tmp_path / "model.zip")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = reader.load(tmp_path / "model.zip", env=DummyVecEnv([lambda: MaskedEnv(9)] * 2), device="cpu")
    assert type(loaded) is reader
    assert_close(weights(model), weights(loaded))
    theirs, ours = model.policy.optimizer.state_dict(), loaded.policy.optimizer.state_dict()
    assert theirs["param_groups"] == ours["param_groups"]
    assert theirs["state"].keys() == ours["state"].keys()
    for key, state in theirs["state"].items():
        assert_close(state, ours["state"][key])
    before = weights(loaded)
    loaded.learn(64, reset_num_timesteps=False)
    assert loaded.num_timesteps == 192
    assert loaded.policy.optimizer.state_dict()["state"][0]["step"] == 24  # 192 samples: 12 minibatches, twice
    assert any(not torch.equal(before[name], tensor) for name, tensor in weights(loaded).items())


def test_a_file_names_nothing_of_rlsweep(tmp_path: Path) -> None:
    import zipfile

    model = small(FastMaskablePPO)
    model.learn(64)
    model.save(tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        assert b"rlsweep" not in b"".join(archive.read(name) for name in archive.namelist())
        # one storage a tensor, not one for all that each of them would bring along
        assert archive.getinfo("policy.optimizer.pth").file_size < 60_000


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda policy: policy.to(torch.float32), lambda policy: policy.to("cpu")]
)
def test_a_policy_that_was_copied_or_moved_learns_on(copied: Any) -> None:
    model = small(FastMaskablePPO)
    model.learn(64)
    original = model.policy
    model.policy = copied(original)
    kept = {name: tensor.clone() for name, tensor in original.state_dict().items()}
    before = weights(model)
    model.learn(64, reset_num_timesteps=False)
    assert any(not torch.equal(before[name], tensor) for name, tensor in weights(model).items())
    if model.policy is not original:
        assert_close(kept, dict(original.state_dict()))
    # acting and predicting see the same weights
    observation = np.zeros((1, 12), np.float32)
    action, _ = model.predict(observation, deterministic=True, action_masks=np.ones((1, 9), np.bool_))
    with torch.no_grad():
        logits = model.policy.get_distribution(torch.from_numpy(observation)).distribution.logits
    assert action[0] == logits.argmax()


# the interface


class Seen(BaseCallback):
    """Keeps what stock's and the fast algorithm show to callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.calls: list[str] = []

    def _on_rollout_start(self) -> None:
        self.calls.append("rollout start")

    def _on_step(self) -> bool:
        self.names |= set(self.locals)
        self.shapes = {
            name: tuple(self.locals[name].shape)
            for name in ("actions", "values", "log_probs", "rewards", "dones", "new_obs")
        }
        self.calls.append(f"step {self.num_timesteps} {self.locals['n_steps']}")
        return self.num_timesteps < 100

    def _on_rollout_end(self) -> None:
        self.calls.append("rollout end")


def test_callbacks_see_what_stock_shows_them() -> None:
    seen = {}
    for algorithm in (FastMaskablePPO, MaskablePPO):
        seen[algorithm] = Seen()
        small(algorithm).learn(1000, callback=seen[algorithm])
    fast, stock = seen[FastMaskablePPO], seen[MaskablePPO]
    assert fast.calls == stock.calls
    assert fast.shapes == stock.shapes
    assert stock.names - fast.names <= {"action_masks", "obs_tensor", "idx", "done", "terminal_obs", "terminal_value"}
    assert "legal_actions" in fast.names


def test_the_logger_gets_the_same_keys() -> None:
    keys = []
    for algorithm in (FastMaskablePPO, MaskablePPO):
        model = small(algorithm, clip_range_vf=0.2, target_kl=10.0)
        model.learn(64)
        keys.append({key for key in model.logger.name_to_value if key.startswith("train/")})
    assert keys[0] == keys[1]


@pytest.mark.parametrize("algorithm", [FastMaskablePPO, MaskablePPO])
def test_an_early_stop_is_told(algorithm: type[MaskablePPO], capsys: pytest.CaptureFixture[str]) -> None:
    small(algorithm, verbose=1, target_kl=1e-9).learn(64)
    assert "Early stopping at step 0 due to reaching max kl: " in capsys.readouterr().out


def test_episodes_cut_short_are_bootstrapped_as_stock_does() -> None:
    """With gamma 1 and lambda 1, a return is the rewards to come and, where an episode is cut, a last value."""
    model = small(
        FastMaskablePPO,
        DummyVecEnv([lambda: gym.wrappers.TimeLimit(MaskedEnv(9, length=1000), 4)]),
        gamma=0.9,
        n_steps=16,
    )
    _, callback = model._setup_learn(1000)
    last_values = []
    predict_values = model.policy.predict_values

    def remembered(observation: torch.Tensor) -> torch.Tensor:
        last_values.append(predict_values(observation).item())
        return predict_values(observation)

    model.policy.predict_values = remembered  # type: ignore[method-assign]
    model.collect_rollouts(model.env, callback, model.rollout_buffer, 16)
    paid = np.array([action % 2 == 0 for action in model.rollout_buffer.actions[:, 0, 0]], np.float32)
    paid[3::4] += 0.9 * np.array(last_values[:4])
    np.testing.assert_allclose(model.rollout_buffer.rewards[:, 0], paid, atol=1e-6)


def test_learns_with_normalisation_and_another_environment_later() -> None:
    model = small(FastMaskablePPO, VecNormalize(DummyVecEnv([lambda: MaskedEnv(9)] * 2)))
    model.learn(64)
    model.set_env(DummyVecEnv([lambda: MaskedEnv(9)] * 2))
    model.learn(64, reset_num_timesteps=False)
    assert model.num_timesteps == 128


@pytest.mark.parametrize(
    "observation_space", [spaces.Discrete(5), spaces.MultiBinary(4), spaces.Box(0, 255, (2, 3), np.uint8)]
)
def test_observations_that_sb3_encodes(observation_space: spaces.Space[Any]) -> None:
    env = DummyVecEnv([lambda: _encoded(observation_space)])
    model = small(FastMaskablePPO, env)
    assert model.fallback is None
    model.learn(64)
    assert model.num_timesteps == 64


def _encoded(space: spaces.Space[Any]) -> gym.Env[Any, Any]:
    return gym.wrappers.TransformObservation(MaskedEnv(9), lambda _: space.sample(), space)


# environments and their masks


class Scripted(MaskedEnv):
    """Allows so many actions, whatever the step; from `until` on, none."""

    def __init__(self, count: int, until: int = 10**9) -> None:
        super().__init__(9)
        self._count, self._until, self._taken = count, until, 0

    def step(self, action: np.int64) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        self._taken += 1
        return super().step(action)

    def action_masks(self) -> np.ndarray:
        self._mask = np.arange(9) < (self._count if self._taken < self._until else 0)
        return self._mask

    def __str__(self) -> str:
        return "the scripted game"


@pytest.mark.parametrize("count", [1, 9])
def test_one_legal_action_and_all_of_them(count: int) -> None:
    model = small(FastMaskablePPO, DummyVecEnv([lambda: Scripted(count)]))
    model.learn(64)
    buffer = model.rollout_buffer
    assert buffer.actions.max() < count
    if count == 1:
        assert (buffer.log_probs == 0).all()
        assert model.logger.name_to_value["train/entropy_loss"] == 0


def test_no_legal_action_is_an_error_that_says_where() -> None:
    env = DummyVecEnv([lambda: Scripted(3), lambda: Scripted(3, until=5)])
    with pytest.raises(EnvironmentStateError, match=r"the scripted game \(number 1\) allows no action at env step 10"):
        small(FastMaskablePPO, env).learn(64)


def test_a_mask_of_another_size_is_an_error() -> None:
    class Short(MaskedEnv):
        def action_masks(self) -> np.ndarray:
            return super().action_masks()[:-1]

    with pytest.raises(EnvironmentStateError, match=r"a mask of shape \(8,\) for 9 actions"):
        small(FastMaskablePPO, DummyVecEnv([lambda: Short(9)])).learn(64)


class Offering(MaskedEnv):
    """Offers indices too."""

    asked = 0

    def legal_action_indices(self) -> list[int]:
        Offering.asked += 1
        return np.flatnonzero(self._mask).tolist()


def test_indices_are_taken_where_an_environment_offers_them() -> None:
    Offering.asked = 0
    model = small(FastMaskablePPO, DummyVecEnv([lambda: Offering(9)]))
    model.learn(32)
    assert Offering.asked == 32


def test_a_wrappers_own_mask_goes_before_the_indices_below_it() -> None:
    env = DummyVecEnv([lambda: ActionMasker(Offering(9), lambda _: np.arange(9) == 4)])
    env.reset()
    assert [actions.tolist() for actions in LegalActionsOf(env, [9], use_masking=True)(0)] == [[4]]


def test_an_environment_without_masks_is_refused_as_stock_refuses_it() -> None:
    messages = []
    for algorithm in (FastMaskablePPO, MaskablePPO):
        with pytest.raises(ValueError, match="does not support action masking") as caught:
            small(algorithm, "CartPole-v1").learn(32)
        messages.append(str(caught.value))
    assert messages[0] == messages[1]


def test_masking_can_be_switched_off() -> None:
    model = small(FastMaskablePPO, "CartPole-v1")
    model.learn(64, use_masking=False)
    assert (np.diff(model.rollout_buffer.legal.starts) == 2).all()


# limits


class Images(gym.Env[np.ndarray, np.int64]):
    observation_space = spaces.Box(0, 255, (1, 36, 36), np.uint8)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        return self.observation_space.sample(), {}

    def step(self, action: np.int64) -> Any:
        return self.observation_space.sample(), 0.0, False, False, {}

    def action_masks(self) -> np.ndarray:
        return np.ones(2, np.bool_)


@pytest.mark.parametrize(
    ("policy", "env", "options", "reason"),
    [
        ("CnnPolicy", Images, {}, "MlpPolicy, not MaskableActorCriticCnnPolicy"),
        ("MlpPolicy", lambda: MaskedEnv(9), {"activation_fn": torch.nn.GELU}, "tanh, relu and elu, not GELU"),
        ("MlpPolicy", lambda: MaskedEnv(9), {"optimizer_class": torch.optim.RMSprop}, "not RMSprop"),
        ("MlpPolicy", lambda: MaskedEnv(9), {"optimizer_kwargs": {"weight_decay": 0.1}}, "weight_decay"),
        ("MlpPolicy", lambda: MaskedEnv(9), {"features_extractor_class": None}, "features extractor"),
    ],
)  # fmt: skip
def test_what_it_does_not_cover_stock_trains_and_it_says_so_once(
    policy: str, env: Any, options: dict[str, Any], reason: str
) -> None:
    if options.get("features_extractor_class", 0) is None:
        from stable_baselines3.common.torch_layers import FlattenExtractor

        class Own(FlattenExtractor):
            pass

        options = {"features_extractor_class": Own}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = FastMaskablePPO(policy, DummyVecEnv([env]), **SMALL | {"policy_kwargs": {"net_arch": [8]} | options})
        model.learn(32)
    [message] = [str(warning.message) for warning in said if "FastMaskablePPO" in str(warning.message)]
    assert reason in message
    assert model.fallback is not None
    assert isinstance(model.rollout_buffer, MaskableRolloutBuffer)
    assert model.policy.optimizer.state_dict()["state"]
