"""RLlib's env runners and learners as the remote workers of a run."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ray import tune
from ray.exceptions import RayActorError
from ray.rllib.algorithms.ppo import PPOConfig
from ray.rllib.core import DEFAULT_MODULE_ID
from ray.rllib.core.learner.learner_group import LearnerGroup
from ray.rllib.core.rl_module.rl_module import RLModuleSpec
from ray.rllib.env.single_agent_episode import SingleAgentEpisode
from ray.rllib.utils.typing import EpisodeType
from stable_baselines3.common.policies import ActorCriticPolicy

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.config.schedule import initial_value
from rlsweep.errors import WorkersLostError
from rlsweep.rllib.environment import make, observed_space, seed_runner
from rlsweep.rllib.learner import SCHEDULED, Learner
from rlsweep.rllib.module import PolicyModule, PolicyState, module_weights
from rlsweep.rllib.runners import Runners, plain
from rlsweep.training.remote_workers import EpisodePart, ScheduledValues
from rlsweep.training.seeding import resumed_seed, training_seed

_ENVIRONMENT = "rlsweep"


class RLlibWorkers:
    """`RemoteWorkers` on the Ray that this process is connected to.

    A dead env runner is replaced; meanwhile the others collect its part of the rollout. If a learner dies, the run
    fails and can resume from its last checkpoint.
    """

    def __init__(self, config: RunConfig) -> None:
        self._config = config
        spread = config.training.rllib
        self.facts = {
            "engine": f"rllib, env runners: {spread.env_runners}, learners: {spread.learners or 'in the run itself'}",
            "equivalence": "equivalent to stock SB3, not identical: other random streams and minibatches, gradients "
            "averaged over learners, env steps and episodes counted as rollouts arrive",
        }
        self._runners: Runners | None = None
        self._learners: LearnerGroup | None = None
        self._rollout: list[EpisodeType] = []
        self._state: PolicyState | None = None

    def start(self, policy: ActorCriticPolicy, *, env_steps: int) -> None:
        """Start the processes; the first rollout waits for the env runners."""
        # RLlib also logs every error that it raises
        logging.getLogger("ray.rllib").setLevel(logging.CRITICAL)
        training, seed = self._config.training, self._config.seed
        first_seed = resumed_seed(seed, env_steps) if env_steps else training_seed(seed, training.n_envs)
        tune.register_env(_ENVIRONMENT, make)
        config = algorithm_config(self._config, seed=first_seed)
        self._runners = Runners(config)
        uses_masks = ALGORITHMS[self._config.agent.algorithm].uses_masks
        seen = observed_space(policy.observation_space, policy.action_space, uses_masks=uses_masks)
        self._learners = config.build_learner_group(spaces={DEFAULT_MODULE_ID: (seen, policy.action_space)})
        self._state = PolicyState.of(policy, policy.optimizer)
        self._ask_learners(partial(Learner.take, state=self._state, seed=first_seed))
        self._runners.set_weights(module_weights(self._state))

    def collect_rollout(self, must_stop: Callable[[], bool]) -> Sequence[EpisodePart]:
        """Collect one rollout; it has a few more env steps if an env runner died during it."""
        assert self._runners is not None
        self._rollout = self._runners.play(self._config.rollout_steps, must_stop)
        return [_episode_part(episode) for episode in self._rollout]

    def update(self, scheduled: ScheduledValues) -> Mapping[str, float]:
        """Compute one update on the last rollout."""
        assert self._runners is not None
        assert self._learners is not None
        learners = max(1, self._config.training.rllib.learners)
        try:
            self._learners.update(
                episodes=self._rollout,
                timesteps={SCHEDULED: scheduled},
                num_epochs=scheduled.n_epochs,
                minibatch_size=min(scheduled.batch_size, self._config.rollout_steps) // learners,
                shuffle_batch_per_epoch=True,
            )
        except RayActorError as error:
            raise WorkersLostError(f"A learner died; resume from the last checkpoint. {plain(str(error))}") from error
        self._rollout = []
        reports = self._ask_learners(Learner.report)
        self._state = self._ask_learners(Learner.give)[0]  # all learners have the same state
        self._runners.set_weights(module_weights(self._state))
        return {name: sum(report[name] for report in reports) / len(reports) for name in reports[0]}

    def copy_weights_to(self, policy: ActorCriticPolicy) -> None:
        """Load the state after the last update into the policy."""
        assert self._state is not None
        policy.load_state_dict(self._state.weights)
        policy.optimizer.load_state_dict(self._state.optimizer)

    def close(self) -> None:
        """End env runners and learners."""
        if self._runners is not None:
            self._runners.stop()
        if self._learners is not None:
            self._learners.shutdown()
        self._runners = self._learners = None

    def _ask_learners(self, question: Callable[..., Any]) -> list[Any]:
        """Call a function on every learner and return the results; raise the first exception."""
        assert self._learners is not None
        answers = list(self._learners.foreach_learner(question))
        for answer in answers:
            if not answer.ok:
                raise answer.get()
        return [answer.get() for answer in answers]


def algorithm_config(config: RunConfig, *, seed: int) -> PPOConfig:
    """RLlib's config of the run; values that may change are sent with each update, and are those of the first here.

    seed: seed of the first environment; the others get the following numbers
    """
    agent, training, spread = config.agent, config.training, config.training.rllib
    first, record = in_force(agent, 0), config.to_record()
    given = {"run": record, "seed": seed, "folder": str(Path.cwd())}
    algorithm: PPOConfig = (
        PPOConfig()
        .environment(_ENVIRONMENT, env_config=given, disable_env_checking=True)
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
            learner_config_dict={"normalize_advantage": agent.ppo.normalize_advantage},
        )
        .training(
            lr=initial_value(first.learning_rate),
            gamma=first.gamma,
            lambda_=first.gae_lambda,
            use_kl_loss=False,
            num_epochs=first.n_epochs,
            train_batch_size_per_learner=config.rollout_steps // max(1, spread.learners),
            minibatch_size=min(first.batch_size, config.rollout_steps) // max(1, spread.learners),
        )
        .rl_module(rl_module_spec=RLModuleSpec(module_class=PolicyModule, model_config={"run": record}))
        .callbacks(on_environment_created=seed_runner)
        .fault_tolerance(restart_failed_env_runners=False)  # otherwise a learner's error takes a minute
    )
    algorithm.normalize_actions, algorithm.clip_actions = False, True
    algorithm.validate()
    return algorithm


def _episode_part(episode: EpisodeType) -> EpisodePart:
    assert isinstance(episode, SingleAgentEpisode)
    ended = bool(episode.is_done)
    outcome = episode.get_infos(-1).get("outcome") if ended else None
    return EpisodePart(
        episode=episode.id_, reward=float(episode.get_return()), length=len(episode), ended=ended, outcome=outcome
    )
