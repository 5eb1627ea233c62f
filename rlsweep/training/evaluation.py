"""Evaluate a policy: deterministic, with action masks, in a separate environment with its own seeds."""

import math
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecNormalize

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.run import RunConfig, ScoreEvaluation
from rlsweep.config.training import EvaluationConfig
from rlsweep.envs import make_env
from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.errors import DivergedError, EnvironmentSpecError, EnvironmentStateError
from rlsweep.runs import Evaluation, EvaluationKind, Outcome
from rlsweep.training.dense import dense_policy_of, is_dense
from rlsweep.training.progress import Progress
from rlsweep.training.seeding import evaluation_seed, score_seed


@dataclass(frozen=True, slots=True)
class Played:
    """Episodes of one policy, in order.

    rewards: shape (episodes,), float64, undiscounted sums of the environment's own rewards
    lengths: shape (episodes,), int64, env steps
    outcomes: of the episodes that had an outcome
    """

    rewards: NDArray[np.float64]
    lengths: NDArray[np.int64]
    outcomes: tuple[Outcome, ...]

    @property
    def reward_sd(self) -> float:
        """Sample standard deviation of the episodes' rewards; 0 for a single episode."""
        return float(self.rewards.std(ddof=1)) if self.rewards.size > 1 else 0.0

    @property
    def win_rate(self) -> float | None:
        """Wins divided by the episodes that had an outcome; None if none had."""
        return self.outcomes.count(Outcome.WIN) / len(self.outcomes) if self.outcomes else None


class PolicyPlayer:
    """The deterministic policy of an SB3 model as it is now, with observations normalised as in training.

    A network of dense layers with Discrete actions is played by NumPy. Where two actions are equally probable but for
    float32's last digits, it may choose the other one than torch does.
    """

    def __init__(self, model: BaseAlgorithm, normalizer: VecNormalize | None, *, uses_masks: bool) -> None:
        self._model = model
        self._normalizer = normalizer
        self._uses_masks = uses_masks
        self._dense: DensePolicy | None = None
        if is_dense(model):
            with suppress(ValueError):  # a network of another kind is played by torch
                self._dense = dense_policy_of(model)

    def act(self, observation: Any, env: gym.Env[Any, Any]) -> Any:
        """The most probable legal action. It draws no random numbers, so it does not change training."""
        if self._normalizer is not None:
            observation = self._normalizer.normalize_obs(observation)
        mask = env.get_wrapper_attr("action_masks")() if self._uses_masks else None
        if self._dense is not None:
            legal = None if mask is None else np.flatnonzero(mask)
            return self._dense.best(np.asarray(observation, np.float32), legal)
        masks = {} if mask is None else {"action_masks": mask}
        action, _ = self._model.predict(observation, deterministic=True, **masks)
        return int(action) if isinstance(env.action_space, gym.spaces.Discrete) else action


def play(
    player: PolicyPlayer,
    env: gym.Env[Any, Any],
    *,
    episodes: int,
    seed: int,
    name: str = "the evaluation",
    on_step: Callable[[], None] = lambda: None,
) -> Played:
    """Play `episodes` episodes; equal seeds and equal policies give equal episodes.

    on_step: called before each step; an exception that it raises ends the evaluation

    Raises DivergedError if a reward is NaN or infinite, and EnvironmentStateError if the environment fails, with `name`
    in their messages.
    """
    rewards = np.zeros(episodes)
    lengths = np.zeros(episodes, dtype=np.int64)
    outcomes: list[Outcome] = []
    for index in range(episodes):
        try:
            observation, info = env.reset(seed=seed if index == 0 else None)
            done = False
            while not done:
                on_step()
                observation, reward, terminated, truncated, info = env.step(player.act(observation, env))
                rewards[index] += float(reward)
                lengths[index] += 1
                if not math.isfinite(rewards[index]):
                    raise DivergedError(
                        f"The environment gave a reward that is NaN or infinite, {float(reward)}, at env step "
                        f"{lengths[index]} of episode {index + 1} of {name}."
                    )
                done = terminated or truncated
        except EnvironmentStateError as exc:
            raise exc.located(f"at env step {lengths[index] + 1} of episode {index + 1} of {name}") from exc.__cause__
        if info.get("outcome") is not None:
            outcomes.append(Outcome(info["outcome"]))
    return Played(rewards, lengths, tuple(outcomes))


def make_evaluation_env(config: RunConfig) -> gym.Env[Any, Any]:
    """Make the environment of a run's evaluations, which is open beside those that train.

    Raises EnvironmentSpecError, which says so, because a simulator may allow one instance only.
    """
    training = config.training
    try:
        return make_env(
            training.evaluation_environment,
            seed=evaluation_seed(config.seed),
            max_steps_per_episode=training.max_steps_per_episode,
        )
    except EnvironmentSpecError as exc:
        raise EnvironmentSpecError(
            f"{str(exc).rstrip('.')}. This was the instance for evaluations, beside {training.n_envs} for training: if "
            "that is one too many, set evaluation.enabled to false."
        ) from exc


class Evaluator:
    """Evaluates a run during training, each kind always with the same seeds, so that its evaluations are comparable."""

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        self._uses_masks = ALGORITHMS[config.agent.algorithm].uses_masks
        self._env = make_evaluation_env(config)

    def is_due(self, progress: Progress) -> bool:
        """Whether a periodic evaluation follows the last update."""
        every = self._config.training.evaluation.every_rollouts
        return self._config.evaluates and progress.updates % every == 0

    def is_score_due(self, before: Progress, after: Progress) -> bool:
        """Whether an evaluation for the score follows the last rollout, which led from `before` to `after`."""
        score, budget = self._config.score_evaluation, self._config.budget
        return score is not None and any(before.spent(budget) < at <= after.spent(budget) for at in score.at)

    def evaluate(
        self,
        model: BaseAlgorithm,
        normalizer: VecNormalize | None,
        progress: Progress,
        *,
        kind: EvaluationKind = EvaluationKind.PERIODIC,
        on_step: Callable[[], None] = lambda: None,
    ) -> Evaluation:
        """Evaluate the current policy; of equally good periodic ones the first is the best. on_step: as in `play`.

        Raises DivergedError if a reward is NaN or infinite.
        """
        settings: EvaluationConfig | ScoreEvaluation = self._config.training.evaluation
        seed = evaluation_seed(self._config.seed)
        if kind is EvaluationKind.SCORE:
            assert self._config.score_evaluation is not None
            settings, seed = self._config.score_evaluation, score_seed(self._config.seed)
        played = play(
            PolicyPlayer(model, normalizer, uses_masks=self._uses_masks),
            self._env,
            episodes=settings.episodes,
            seed=seed,
            name=f"the evaluation after update {progress.updates} ({progress.env_steps} env steps)",
            on_step=on_step,
        )
        mean_reward = float(played.rewards.mean())
        best = progress.best_mean_reward
        return Evaluation(
            env_steps=progress.env_steps,
            episodes=played.rewards.size,
            mean_reward=mean_reward,
            reward_sd=played.reward_sd,
            mean_length=float(played.lengths.mean()),
            win_rate=played.win_rate,
            is_best=kind is EvaluationKind.PERIODIC and (best is None or mean_reward > best),
            kind=kind,
        )

    def close(self) -> None:
        """Close the environment."""
        self._env.close()
