"""RLlib's env runners and learners as a run's workers."""

import logging
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ray import tune
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core.learner.learner_group import LearnerGroup
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.env_runner_group import EnvRunnerGroup
from ray.rllib.env.single_agent_env_runner import SingleAgentEnvRunner
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.utils.typing import EpisodeType
from stable_baselines3.common.policies import ActorCriticPolicy

from rlsweep.config.run import RunConfig
from rlsweep.config.schedule import initial_value
from rlsweep.errors import WorkersLostError
from rlsweep.sweep.rllib.environment import make, seed_runner
from rlsweep.sweep.rllib.learner import RATES, Learner, PolicyState
from rlsweep.sweep.rllib.module import PolicyModule
from rlsweep.training.mirror import Piece, Rates
from rlsweep.training.seeding import resumed_seed, training_seed

logger = logging.getLogger(__name__)

RESTARTS = 100
"""How often one env runner is started again after its process died."""

WAIT_SECONDS = 120.0
"""How long a rollout waits for env runners while none is alive."""

_ENVIRONMENT = "rlsweep"


@dataclass(frozen=True, slots=True)
class _Failure:
    """What an env runner raised: a value, for RLlib would end the runner over it and forget why."""

    error: Exception
    details: str


class RLlibWorkers:
    """`Workers` on the Ray that this process is connected to.

    An env runner whose process dies is started again, and the others play its part of the rollout meanwhile. A
    learner's death ends the run, which goes on from its last checkpoint.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        spread = config.training.rllib
        self.engine = (
            f"rllib, {spread.env_runners} env runners and {spread.learners or 'no'} learners: PPO equivalent to stock "
            "SB3's, not identical (other random streams, other minibatches, env steps counted as they arrive)"
        )
        self._runners: EnvRunnerGroup | None = None
        self._learners: LearnerGroup | None = None
        self._rollout: list[EpisodeType] = []

    def begin(self, policy: ActorCriticPolicy, *, env_steps: int) -> None:
        """Start the processes. Raises what making an environment raises in one of them."""
        training, seed = self._config.training, self._config.seed
        first_seed = resumed_seed(seed, env_steps) if env_steps else training_seed(seed, training.n_envs)
        tune.register_env(_ENVIRONMENT, make)
        config = algorithm_config(self._config, seed=first_seed)
        self._runners = EnvRunnerGroup(config=config, local_env_runner=False)
        self._learners = config.build_learner_group(spaces=self._runners.get_spaces())
        state = PolicyState.of(policy, policy.optimizer)
        self._ask_learners(lambda learner: learner.take(state, seed=first_seed))
        self._send_weights()

    def play(self) -> Sequence[Piece]:
        """One rollout, at least; what env runners play beyond one that died is part of it too."""
        self._rollout = []
        missing, last_seen = self._config.rollout_steps, time.monotonic()
        while missing > 0:
            played = self._play_some(missing)
            missing -= sum(map(len, played))
            self._rollout += played
            if played:
                last_seen = time.monotonic()
            elif time.monotonic() - last_seen > WAIT_SECONDS:
                raise WorkersLostError(
                    f"No env runner has been alive for {WAIT_SECONDS:g} s; see that the cluster has the CPUs they "
                    "ask for, then go on from the last checkpoint."
                )
        return [_piece(episode) for episode in self._rollout]

    def learn(self, rates: Rates) -> Mapping[str, float]:
        """One update over the last rollout."""
        assert self._learners is not None
        agent, learners = self._config.agent, max(1, self._config.training.rllib.learners)
        self._learners.update(
            episodes=self._rollout,
            timesteps={RATES: rates},
            num_epochs=agent.n_epochs,
            minibatch_size=min(agent.batch_size, self._config.rollout_steps) // learners,
            shuffle_batch_per_epoch=True,
        )
        self._rollout = []
        self._send_weights()
        reports = self._ask_learners(Learner.report)
        return {name: sum(report[name] for report in reports) / len(reports) for name in reports[0]}

    def copy_into(self, policy: ActorCriticPolicy) -> None:
        """All learners hold the same."""
        state: PolicyState = self._ask_learners(Learner.give)[0]
        policy.load_state_dict(state.weights)
        policy.optimizer.load_state_dict(state.optimizer)

    def close(self) -> None:
        """End env runners and learners."""
        if self._runners is not None:
            self._runners.stop()
        if self._learners is not None:
            self._learners.shutdown()
        self._runners = self._learners = None

    def _play_some(self, steps: int) -> list[EpisodeType]:
        """What the living env runners play of so many env steps, shared out evenly. Raises what one of them raised."""
        assert self._runners is not None
        self._restore()
        alive = self._runners.num_healthy_remote_workers()
        if not alive:
            time.sleep(1.0)
            return []
        share = -(-steps // alive)
        results = self._runners.foreach_env_runner(partial(_sample, steps=share), local_env_runner=False)
        played: list[EpisodeType] = []
        for result in results:
            if isinstance(result, _Failure):
                result.error.add_note(f"In an env runner:\n{result.details}")
                raise result.error
            played += result
        return played

    def _restore(self) -> None:
        """Take env runners that were started again back into service, with the weights of now."""
        assert self._runners is not None
        if self._runners.num_healthy_remote_workers() == self._runners.num_remote_workers():
            return
        restored = self._runners.probe_unhealthy_env_runners()
        if restored:
            logger.warning("env runners %s died and were started again", restored)
            self._send_weights(restored)

    def _send_weights(self, runners: list[int] | None = None) -> None:
        assert self._runners is not None
        self._runners.sync_weights(
            from_worker_or_learner_group=self._learners, to_worker_indices=runners, inference_only=True
        )

    def _ask_learners(self, question: Any) -> list[Any]:
        """Every learner's answer. Raises what one of them raised."""
        assert self._learners is not None
        answers = []
        for answer in self._learners.foreach_learner(question):
            if not answer.ok:
                raise answer.get()
            answers.append(answer.get())
        return answers


def algorithm_config(config: RunConfig, *, seed: int) -> PPOConfig:
    """The run as RLlib has it; what may follow a schedule goes with each update instead.

    seed: of the first environment; the others count on from it
    """
    agent, training, spread = config.agent, config.training, config.training.rllib
    record = config.to_record()
    algorithm: PPOConfig = (
        PPOConfig()
        .environment(_ENVIRONMENT, env_config={"run": record, "seed": seed}, disable_env_checking=True)
        .framework("torch")
        .env_runners(
            num_env_runners=spread.env_runners,
            num_envs_per_env_runner=training.n_envs // spread.env_runners,
            rollout_fragment_length=agent.n_steps,
        )
        .learners(
            num_learners=spread.learners,
            num_gpus_per_learner=spread.gpus_per_learner,
            learner_class=Learner,
            learner_config_dict={
                "normalize_advantage": agent.ppo.normalize_advantage,
                "max_grad_norm": agent.ppo.max_grad_norm,
            },
        )
        .training(
            lr=initial_value(agent.learning_rate),
            gamma=agent.gamma,
            lambda_=agent.ppo.gae_lambda,
            entropy_coeff=agent.ppo.ent_coef,
            vf_loss_coeff=agent.ppo.vf_coef,
            use_kl_loss=False,
            num_epochs=agent.n_epochs,
            train_batch_size_per_learner=config.rollout_steps // max(1, spread.learners),
            minibatch_size=min(agent.batch_size, config.rollout_steps) // max(1, spread.learners),
        )
        .rl_module(rl_module_spec=RLModuleSpec(module_class=PolicyModule, model_config={"run": record}))
        .callbacks(on_environment_created=seed_runner)
        .fault_tolerance(
            restart_failed_env_runners=True,
            max_num_env_runner_restarts=RESTARTS,
            delay_between_env_runner_restarts_s=0.0,
        )
    )
    algorithm.normalize_actions, algorithm.clip_actions = False, True
    algorithm.validate()
    return algorithm


def _sample(runner: SingleAgentEnvRunner, *, steps: int) -> list[SingleAgentEpisode] | _Failure:
    """Runs in an env runner."""
    try:
        episodes: list[SingleAgentEpisode] = runner.sample(num_timesteps=steps)
    except Exception as error:  # noqa: BLE001 - raised again by the run
        cause = error.__cause__ if isinstance(error.__cause__, Exception) else error  # RLlib wraps those of a step
        return _Failure(cause, traceback.format_exc())
    return episodes


def _piece(episode: EpisodeType) -> Piece:
    assert isinstance(episode, SingleAgentEpisode)
    ended = bool(episode.is_done)
    outcome = episode.get_infos(-1).get("outcome") if ended else None
    return Piece(
        episode=episode.id_, reward=float(episode.get_return()), length=len(episode), ended=ended, outcome=outcome
    )
