"""Build an SB3 model from a run config.

To add an algorithm, add an entry to `rlsweep.config.algorithms` and one to `_ARGUMENTS` with its constructor's
arguments.
"""

import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, cast

from gymnasium import spaces
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.utils import LinearSchedule, get_device
from stable_baselines3.common.vec_env import VecEnv
from torch import nn
from torch.optim import RMSprop

from rlsweep.config.agent import AgentConfig, OptimizerConfig, SplitLayers
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.in_force import in_force
from rlsweep.config.run import RunConfig
from rlsweep.config.schedule import initial_value
from rlsweep.errors import ConfigError
from rlsweep.training.extractors import load_extractor
from rlsweep.training.optimizers import keep_compiler_out

ACTIVATIONS: dict[str, type[nn.Module]] = {"tanh": nn.Tanh, "relu": nn.ReLU, "elu": nn.ELU}


def load_algorithm(name: str, engine: str = "stock") -> type[OnPolicyAlgorithm]:
    """Import the class of an algorithm; `name` is a key of `ALGORITHMS`.

    engine: as in the base config. Raises ConfigError for `fast` if the algorithm has no fast engine.
    """
    entry = ALGORITHMS[name]
    if engine == "fast" and entry.fast_target is None:
        raise ConfigError(f"engine: {name} has no fast engine; use auto or stock.")
    target = entry.target if engine == "stock" or entry.fast_target is None else entry.fast_target
    module, _, attribute = target.partition(":")
    algorithm: type[OnPolicyAlgorithm] = getattr(import_module(module), attribute)
    return algorithm


def build_model(algorithm: type[OnPolicyAlgorithm], config: RunConfig, env: VecEnv) -> OnPolicyAlgorithm:
    """Build the untrained model with the run's seed; `algorithm` may be a subclass of the config's own.

    Raises ConfigError if the algorithm does not accept its hyperparameters or the environment's spaces, or if
    `engine: fast` does not support the policy.
    """
    agent = config.agent
    used = ALGORITHMS[agent.algorithm].hyperparameters
    if "ppo.use_sde" in used and agent.ppo.use_sde and not isinstance(env.action_space, spaces.Box):
        raise ConfigError(
            f"ppo.use_sde: gSDE explores continuous actions; '{config.training.environment.id}' has "
            f"{env.action_space}. Set it to false."
        )
    if ALGORITHMS[agent.algorithm].uses_masks and not env.has_attr("action_masks"):
        raise no_masks(config, env.action_space)
    keep_compiler_out()
    device = config.training.device
    if device != "auto" and get_device(device).type != device.partition(":")[0]:
        # SB3 would silently use the CPU
        raise ConfigError(f"device: torch finds no {device} on this machine; use auto or cpu.")
    with warnings.catch_warnings():
        # the plan already shows these warnings, with numbers
        warnings.filterwarnings("ignore", message="You have specified a mini-batch size", category=UserWarning)
        warnings.filterwarnings("ignore", message="You are trying to run .* on the GPU", category=UserWarning)
        warnings.filterwarnings("ignore", message="Fast(Maskable)?PPO trains as stock", category=UserWarning)
        try:
            model = algorithm(
                agent.network.policy,
                env,
                seed=config.seed,
                device=device,
                policy_kwargs=_policy_arguments(agent),
                **_ARGUMENTS[agent.algorithm](agent),
            )
        except (AssertionError, ValueError, RuntimeError) as exc:
            raise ConfigError(
                f"{agent.algorithm} cannot be built for '{config.training.environment.id}' "
                f"from config {agent.short_name}: {exc}"
            ) from exc
    if config.training.engine == "fast" and (reason := reason_for_stock(model)):
        raise ConfigError(
            f"engine: fast cannot train {agent.short_name} in '{config.training.environment.id}': {reason}; "
            "use auto or stock."
        )
    return model


def no_masks(config: RunConfig, actions: spaces.Space[Any]) -> ConfigError:
    """The error for a masking algorithm and actions that cannot be masked; of those that can be trained, only Box."""
    return ConfigError(
        f"{config.agent.algorithm} needs action masks; '{config.training.environment.id}' has none, with action space "
        f"{actions}. Use PPO for it."
    )


def build_policy(config: RunConfig, observations: spaces.Space[Any], actions: spaces.Space[Any]) -> ActorCriticPolicy:
    """Build only the network of `build_model`'s model, with weights from torch's global random generator."""
    network = config.agent.network
    policies = load_algorithm(config.agent.algorithm).policy_aliases
    policy: Any = policies[network.policy](
        observations,
        actions,
        lambda _: initial_value(config.agent.learning_rate),
        **_policy_arguments(config.agent),
    )
    return cast(ActorCriticPolicy, policy)  # sb3-contrib's policy has the same interface, but is not a subclass


def reason_for_stock(model: OnPolicyAlgorithm) -> str | None:
    """Return why a model of the fast engine's class trains with stock code, as a clause; None if it trains fast."""
    reason: str | None = getattr(model, "fallback", None)
    return reason


def engine_of(model: OnPolicyAlgorithm) -> str:
    """Return the engine that trains a model, for the run's facts: `fast`, `stock`, or `stock, since …`."""
    if not hasattr(model, "fallback"):
        return "stock"
    reason = reason_for_stock(model)
    return "fast" if reason is None else f"stock, since {reason}"


def scheduled(value: float | str) -> float | LinearSchedule:
    """Return a number, or SB3's own schedule class, so that a checkpoint loads without rlsweep."""
    return LinearSchedule(initial_value(value), 0.0, 1.0) if isinstance(value, str) else value


def _policy_arguments(agent: AgentConfig) -> dict[str, Any]:
    """Arguments of the policy's constructor; what equals SB3's own defaults is left out."""
    network, layers = agent.network, agent.network.net_arch
    arguments: dict[str, Any] = {
        "net_arch": {"pi": list(layers.pi), "vf": list(layers.vf)} if isinstance(layers, SplitLayers) else list(layers),
        "activation_fn": ACTIVATIONS[network.activation_fn],
    }
    if not network.ortho_init:
        arguments["ortho_init"] = False
    if network.log_std_init and "network.log_std_init" in ALGORITHMS[agent.algorithm].hyperparameters:
        arguments["log_std_init"] = network.log_std_init
    if network.features_extractor is not None:
        arguments["features_extractor_class"] = load_extractor(network.features_extractor)
        arguments["features_extractor_kwargs"] = network.features_extractor_kwargs
    if agent.optimizer != OptimizerConfig():
        arguments |= _optimizer_arguments(agent)
    return arguments


def _optimizer_arguments(agent: AgentConfig) -> dict[str, Any]:
    """Adam's options; for A2C, with SB3's values beside the config's own, RMSprop and its options."""
    options = agent.optimizer.model_dump()
    if not options["weight_decay"]:
        del options["weight_decay"]  # the fast engine knows no such option
    if agent.algorithm == "A2C":
        return {"optimizer_class": RMSprop, "optimizer_kwargs": {"alpha": 0.99, **options}}
    return {"optimizer_kwargs": options}


def _actor_critic_arguments(agent: AgentConfig) -> dict[str, Any]:
    """Constructor arguments of every on-policy algorithm of SB3."""
    first = in_force(agent, 0)
    return {
        "learning_rate": scheduled(first.learning_rate),
        "gamma": first.gamma,
        "n_steps": agent.n_steps,
        "gae_lambda": first.gae_lambda,
        "ent_coef": first.ent_coef,
        "vf_coef": first.vf_coef,
        "max_grad_norm": first.max_grad_norm,
        "normalize_advantage": agent.ppo.normalize_advantage,
        **_exploration_arguments(agent),
    }


def _exploration_arguments(agent: AgentConfig) -> dict[str, Any]:
    if "ppo.use_sde" not in ALGORITHMS[agent.algorithm].hyperparameters:
        return {}
    return {"use_sde": agent.ppo.use_sde, "sde_sample_freq": agent.ppo.sde_sample_freq}


def _ppo_arguments(agent: AgentConfig) -> dict[str, Any]:
    first = in_force(agent, 0)
    return {
        **_actor_critic_arguments(agent),
        "batch_size": first.batch_size,
        "n_epochs": first.n_epochs,
        "clip_range": scheduled(first.clip_range),
        "clip_range_vf": None if first.clip_range_vf is None else scheduled(first.clip_range_vf),
        "target_kl": first.target_kl,
    }


_ARGUMENTS: dict[str, Callable[[AgentConfig], dict[str, Any]]] = {
    "MaskablePPO": _ppo_arguments,
    "PPO": _ppo_arguments,
    "A2C": _actor_critic_arguments,
}
