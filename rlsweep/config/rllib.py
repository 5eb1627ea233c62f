"""`backend: rllib`: which config values it does not support, and which Ray resources it requests."""

from collections.abc import Callable, Mapping

from rlsweep.config.agent import AgentConfig, OptimizerConfig
from rlsweep.config.stepped import every_value, is_stepped
from rlsweep.config.training import TrainingConfig

ALGORITHMS = ("MaskablePPO", "PPO")
_Check = Callable[[AgentConfig, TrainingConfig], Mapping[str, str]]


def rllib_problems(agent: AgentConfig, training: TrainingConfig) -> list[str]:
    """Return what `backend: rllib` does not support in a run's config, as `key: reason; way out`; empty for sb3."""
    if training.backend != "rllib":
        return []
    checks: tuple[Callable[[AgentConfig, TrainingConfig], Mapping[str, str]], ...] = (
        _unsupported,
        _unsupported_network,
        _indivisible,
    )
    return [f"{key}: {problem}" for check in checks for key, problem in check(agent, training).items()]


def bundles(training: TrainingConfig) -> list[dict[str, float]]:
    """Ray resources that a run requests besides its own process: one bundle per process; each must fit on one node."""
    spread = training.rllib
    learner = {"GPU": spread.gpus_per_learner} if spread.gpus_per_learner else {"CPU": 1.0}
    return [{"CPU": 1.0}] * spread.env_runners + [learner] * spread.learners


def _unsupported(agent: AgentConfig, training: TrainingConfig) -> dict[str, str]:
    """Return the features that sb3 has and RLlib does not."""
    problems = {}
    if agent.algorithm not in ALGORITHMS:
        problems["algorithm"] = f"backend: rllib trains {' and '.join(ALGORITHMS)}, not {agent.algorithm}; use sb3"
    if agent.ppo.target_kl is not None:
        problems["ppo.target_kl"] = "RLlib cannot end an update early; remove it, or use backend: sb3"
    for key, value in (("gamma", agent.gamma), ("ppo.gae_lambda", agent.ppo.gae_lambda)):
        if is_stepped(value):
            problems[key] = "RLlib cannot change it while a run trains; give it one value, or use backend: sb3"
    for key in ("normalize_observations", "normalize_rewards"):
        if getattr(training, key):
            problems[key] = "backend: rllib has no running statistics; set it to false, or use backend: sb3"
    if training.environment.self_play is not None:
        problems["environment.opponent"] = "backend: rllib cannot play the run's own policies; use backend: sb3"
    if training.vec_env != "dummy":
        problems["vec_env"] = "backend: rllib uses env runners, not subproc; set rllib.env_runners"
    if training.engine == "fast":
        problems["engine"] = "fast is an engine of backend: sb3; remove it"
    if training.device not in ("auto", "cpu"):
        problems["device"] = "backend: rllib uses the GPUs that rllib.gpus_per_learner requests; remove it"
    if training.rllib.gpus_per_learner and not training.rllib.learners:
        problems["rllib.gpus_per_learner"] = "needs at least one learner; set rllib.learners: 1 or more"
    return problems


def _unsupported_network(agent: AgentConfig, _: TrainingConfig) -> dict[str, str]:
    """Return the values of the policy and its optimizer that RLlib's learners do not have."""
    problems = {}
    if agent.ppo.use_sde:
        problems["ppo.use_sde"] = "RLlib does not explore by gSDE; set it to false, or use backend: sb3"
    unsupported = "backend: rllib does not support it; remove it, or use backend: sb3"
    if agent.network.features_extractor is not None:
        problems["network.features_extractor"] = unsupported
    for key, default in OptimizerConfig().model_dump().items():
        if getattr(agent.optimizer, key) != default:
            problems[f"optimizer.{key}"] = unsupported
    return problems


def _indivisible(agent: AgentConfig, training: TrainingConfig) -> dict[str, str]:
    """Return the counts that cannot be divided evenly between env runners or learners."""
    problems = {}
    runners, learners = training.rllib.env_runners, max(1, training.rllib.learners)
    if training.n_envs % runners:
        problems["n_envs"] = (
            f"{training.n_envs} cannot be divided evenly between {runners} env runners; "
            "make it a multiple of rllib.env_runners"
        )
    rollout = agent.n_steps * training.n_envs
    batches = [("batch_size", min(batch_size, rollout)) for batch_size in every_value(agent.batch_size)]
    for key, samples in (("n_steps", rollout), *batches):
        if samples % learners:
            problems[key] = (
                f"{samples} samples cannot be divided evenly between {learners} learners; "
                "make them a multiple of rllib.learners"
            )
    return problems
