"""Faster PPO and MaskablePPO: those of SB3 and sb3-contrib without autograd, distribution objects and masks."""

import math
import warnings
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray
from sb3_contrib import MaskablePPO
from sb3_contrib.common.maskable.buffers import MaskableRolloutBuffer
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.utils import explained_variance
from stable_baselines3.common.vec_env import VecEnv

from rlsweep.training.fast.actor import Actor
from rlsweep.training.fast.categorical import CATEGORICAL
from rlsweep.training.fast.denormals import denormals_as_zero
from rlsweep.training.fast.dense import DenseUpdate
from rlsweep.training.fast.gaussian import GAUSSIAN
from rlsweep.training.fast.heads import Distribution
from rlsweep.training.fast.legal import LegalActionsOf
from rlsweep.training.fast.networks import reason_against
from rlsweep.training.fast.objective import Figure, Objective
from rlsweep.training.fast.rollout import FastRolloutBuffer, LegalRolloutBuffer, part_sizes
from rlsweep.training.fast.step_callback import StepCallback
from rlsweep.training.fast.update import CompiledUpdate


class FastOnPolicy(OnPolicyAlgorithm):
    """What FastPPO and FastMaskablePPO share: rollouts and updates with the results of stock, in less time.

    They have the constructor, files, callbacks and logger keys of stock. Unsupported models are trained by the stock
    code; `fallback` is the reason then, else None.
    """

    fallback: str | None = None

    _stock_name: str
    _stock_buffer: type[RolloutBuffer]
    _fewest_to_normalize: int
    """Fewest samples of a minibatch whose advantages stock normalises."""

    batch_size: Any  # stock declares these three as what its constructor takes, which differs
    clip_range: Any
    clip_range_vf: Any
    n_epochs: int
    normalize_advantage: bool
    target_kl: float | None

    def _setup_model(self) -> None:
        self.fallback = self._reason_against()
        if self.fallback is None:
            # set before stock makes its own buffer, whose masks take 298 MB with 36,400 actions
            self.rollout_buffer_class = self._distribution().buffer
        super()._setup_model()
        if self.fallback is None:
            # a checkpoint names stock's class, so that it can be opened without rlsweep
            self.rollout_buffer_class = self._stock_buffer
        else:
            warnings.warn(f"{self._name()} trains as stock {self._stock_name} does: {self.fallback}.", stacklevel=2)

    def _name(self) -> str:
        return f"Fast{self._stock_name}"

    def _reason_against(self) -> str | None:
        """Return why the stock code must train this model; None if the fast engine can."""
        if self.rollout_buffer_class not in (None, self._stock_buffer) or self.rollout_buffer_kwargs:
            return "the fast engine supports only its own rollout buffer"
        if self.use_sde:
            return "the fast engine does not support gSDE (ppo.use_sde)"
        reason = reason_against(self.policy_class, self.policy_aliases["MlpPolicy"], self.policy_kwargs)
        return reason or self._reason_against_actions()

    def _reason_against_actions(self) -> str | None:
        """Return why the fast engine cannot choose such actions; None if it can."""
        raise NotImplementedError

    def _distribution(self) -> Distribution:
        return GAUSSIAN if isinstance(self.action_space, spaces.Box) else CATEGORICAL

    def _excluded_save_params(self) -> list[str]:
        return [*super()._excluded_save_params(), "fallback"]

    def _collect(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: FastRolloutBuffer,
        n_rollout_steps: int,
        use_masking: bool,
    ) -> bool:
        """Fill the buffer with `n_rollout_steps` steps of every environment; return False if a callback ended it early.

        Callbacks find the same `locals` as in stock, except `legal_actions` (indices by environment) instead of
        `action_masks`; a `StepCallback` finds none after a step. Raises EnvironmentStateError if an environment has no
        legal action; exceptions of the environment pass through.
        """
        assert isinstance(self._last_obs, np.ndarray)
        assert self._last_episode_starts is not None
        self.policy.set_training_mode(False)
        rollout_buffer.reset()
        space = self.action_space
        legal_buffer = rollout_buffer if isinstance(rollout_buffer, LegalRolloutBuffer) else None
        if legal_buffer is not None:
            ask_for_legal_actions = LegalActionsOf(env, part_sizes(space), use_masking=use_masking)
        count_step = callback.count_step if isinstance(callback, StepCallback) else None
        callback.on_rollout_start()
        # draws random numbers, as stock does from here on
        actor = Actor(self.policy, self._distribution(), rollout_buffer)
        for n_steps in range(n_rollout_steps):  # noqa: B007 - callbacks find it in `locals`
            if legal_buffer is not None:
                legal_actions = ask_for_legal_actions(self.num_timesteps)
                for legal in legal_actions:
                    legal_buffer.legal.append(legal)
            actions, values, log_probs = actor.act(self._last_obs)
            clipped_actions = np.clip(actions, space.low, space.high) if isinstance(space, spaces.Box) else actions
            new_obs, rewards, dones, infos = env.step(clipped_actions)
            assert isinstance(new_obs, np.ndarray)
            self.num_timesteps += env.num_envs
            if count_step is not None:
                goes_on = count_step(self.num_timesteps, rewards, dones, infos)
            else:
                callback.update_locals(locals())
                goes_on = callback.on_step()
            if not goes_on:
                return False
            self._update_info_buffer(infos, dones)
            if True in dones.tolist():
                self._bootstrap(rewards, dones, infos)
            rollout_buffer.add(self._last_obs, actions, rewards, self._last_episode_starts, values, log_probs)
            self._last_obs = new_obs
            self._last_episode_starts = dones
        with torch.no_grad():
            last_values = self.policy.predict_values(self.policy.obs_to_tensor(self._last_obs)[0])
        rollout_buffer.compute_returns_and_advantage(last_values, dones)
        callback.update_locals(locals())
        callback.on_rollout_end()
        return True

    def _bootstrap(self, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Add the value of the next state to the reward of a truncated episode (Pardo et al. 2018)."""
        for index in np.flatnonzero(dones):
            last_observation = infos[index].get("terminal_observation")
            if last_observation is not None and infos[index].get("TimeLimit.truncated", False):
                with torch.no_grad():
                    value = self.policy.predict_values(self.policy.obs_to_tensor(last_observation)[0])
                rewards[index] += self.gamma * value.item()

    def _before_step(self) -> None:
        """Called before each optimizer step, for a subclass to override; an exception ends the update."""

    def train(self) -> None:
        """Update the policy from the rollout; log the same values as stock."""
        buffer = self.rollout_buffer
        if not isinstance(buffer, FastRolloutBuffer):
            super().train()
            return
        self.policy.set_training_mode(True)
        self._update_learning_rate(self.policy.optimizer)
        progress = self._current_progress_remaining
        clip_range = self.clip_range(progress)
        clip_range_vf = None if self.clip_range_vf is None else self.clip_range_vf(progress)
        samples = buffer.buffer_size * buffer.n_envs
        objective = Objective(
            clip_range=clip_range,
            clip_range_vf=math.inf if clip_range_vf is None else clip_range_vf,
            normalize_from=self._fewest_to_normalize if self.normalize_advantage else 0,
            ent_coef=self.ent_coef,
            vf_coef=self.vf_coef,
            max_grad_norm=self.max_grad_norm,
        )
        batch_size = min(self.batch_size or samples, samples)
        with denormals_as_zero():
            make_update = update_on(self.device)
            update = make_update(self.policy, self._distribution(), buffer, objective, batch_size=batch_size)
            try:
                epochs = self._run_epochs(update, samples, batch_size)
            finally:
                update.close()
        means = np.concatenate(epochs).mean(0)
        policy_loss, value_loss, entropy_loss, *_ = epochs[-1][-1]
        logger = self.logger
        logger.record("train/entropy_loss", means[Figure.ENTROPY_LOSS])
        logger.record("train/policy_gradient_loss", means[Figure.POLICY_LOSS])
        logger.record("train/value_loss", means[Figure.VALUE_LOSS])
        logger.record("train/approx_kl", epochs[-1][:, Figure.APPROX_KL].mean())
        logger.record("train/clip_fraction", means[Figure.CLIP_FRACTION])
        logger.record("train/loss", policy_loss + self.ent_coef * entropy_loss + self.vf_coef * value_loss)
        logger.record("train/explained_variance", explained_variance(buffer.values.flatten(), buffer.returns.flatten()))
        if hasattr(self.policy, "log_std"):
            logger.record("train/std", self.policy.log_std.exp().mean().item())
        logger.record("train/n_updates", self._n_updates, exclude="tensorboard")
        logger.record("train/clip_range", clip_range)
        if clip_range_vf is not None:
            logger.record("train/clip_range_vf", clip_range_vf)

    def _run_epochs(
        self, update: CompiledUpdate | DenseUpdate, samples: int, batch_size: int
    ) -> list[NDArray[np.float64]]:
        """Learn from the rollout `n_epochs` times, or until KL is too large; return the diagnostics of each epoch."""
        epochs = []
        for epoch in range(self.n_epochs):
            order = np.random.permutation(samples)  # stock's buffer draws from the same generator
            is_too_far = False
            for number, begin in enumerate(range(0, samples, batch_size)):
                update.evaluate(order[begin : begin + batch_size], number)
                if self.target_kl is not None:
                    kl = update.figures(number + 1)[number, Figure.APPROX_KL]
                    is_too_far = kl > 1.5 * self.target_kl
                    if is_too_far:
                        break
                self._before_step()
                update.step()
            epochs.append(update.figures(number + 1))
            self._n_updates += 1
            if is_too_far:
                if self.verbose >= 1:
                    print(f"Early stopping at step {epoch} due to reaching max kl: {kl:.2f}")  # noqa: T201 - as stock
                break
        return epochs


class FastMaskablePPO(FastOnPolicy, MaskablePPO):
    """sb3-contrib's MaskablePPO in less time, for Discrete, MultiDiscrete and MultiBinary actions."""

    _stock_name = "MaskablePPO"
    _stock_buffer = MaskableRolloutBuffer
    _fewest_to_normalize = 1

    def _reason_against_actions(self) -> str | None:
        return None  # stock refuses all others

    def collect_rollouts(
        self,
        env: VecEnv,
        callback: BaseCallback,
        rollout_buffer: RolloutBuffer,
        n_rollout_steps: int,
        use_masking: bool = True,
    ) -> bool:
        """Fill the buffer; see `FastOnPolicy._collect`."""
        if not isinstance(rollout_buffer, FastRolloutBuffer):
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps, use_masking)
        return self._collect(env, callback, rollout_buffer, n_rollout_steps, use_masking)


class FastPPO(FastOnPolicy, PPO):
    """SB3's PPO in less time, for Discrete and MultiDiscrete actions without masks, and for Box."""

    _stock_name = "PPO"
    _stock_buffer = RolloutBuffer
    _fewest_to_normalize = 2

    def _reason_against_actions(self) -> str | None:
        if isinstance(self.action_space, spaces.MultiBinary):
            return f"the fast engine supports Discrete, MultiDiscrete and Box without masks, not {self.action_space}"
        return None

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer; see `FastOnPolicy._collect`."""
        if not isinstance(rollout_buffer, FastRolloutBuffer):
            return super().collect_rollouts(env, callback, rollout_buffer, n_rollout_steps)
        return self._collect(env, callback, rollout_buffer, n_rollout_steps, use_masking=False)


def update_on(device: torch.device) -> type[CompiledUpdate | DenseUpdate]:
    """The faster implementation of an update on a device."""
    return CompiledUpdate if device.type == "cpu" else DenseUpdate
