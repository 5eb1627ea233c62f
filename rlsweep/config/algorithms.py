"""The algorithms a config may name. To add one, add an entry here.

Entries hold class names, not classes, so that checking a config does not load torch.
"""

from dataclasses import dataclass

from rlsweep.config.habits import algorithm_hint

_EVERY_ACTOR_CRITIC = frozenset(
    {
        "learning_rate",
        "gamma",
        "n_steps",
        "network.policy",
        "network.net_arch",
        "network.activation_fn",
        "network.ortho_init",
        "network.features_extractor",
        "network.features_extractor_kwargs",
        "optimizer.eps",
        "optimizer.weight_decay",
        "ppo.ent_coef",
        "ppo.vf_coef",
        "ppo.max_grad_norm",
        "ppo.gae_lambda",
        "ppo.normalize_advantage",
    }
)
_EVERY_PPO = _EVERY_ACTOR_CRITIC | {
    "batch_size",
    "n_epochs",
    "ppo.clip_range",
    "ppo.clip_range_vf",
    "ppo.target_kl",
}
_CONTINUOUS_ACTIONS = frozenset({"network.log_std_init", "ppo.use_sde", "ppo.sde_sample_freq"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Algorithm:
    """One algorithm.

    target: "module:Class" of the Stable-Baselines3 class
    fast_target: "module:Class" of a subclass that computes the same in less time; None if there is none
    uses_masks: whether it receives action masks and never takes an illegal action
    hyperparameters: dotted agent config keys that it uses; it ignores all others
    """

    name: str
    target: str
    uses_masks: bool
    hyperparameters: frozenset[str]
    fast_target: str | None = None


ALGORITHMS: dict[str, Algorithm] = {
    algorithm.name: algorithm
    for algorithm in (
        Algorithm(
            name="MaskablePPO",
            target="sb3_contrib:MaskablePPO",
            fast_target="rlsweep.training.fast.ppo:FastMaskablePPO",
            uses_masks=True,
            hyperparameters=_EVERY_PPO,
        ),
        Algorithm(
            name="PPO",
            target="stable_baselines3:PPO",
            fast_target="rlsweep.training.fast.ppo:FastPPO",
            uses_masks=False,
            hyperparameters=_EVERY_PPO | _CONTINUOUS_ACTIONS,
        ),
        Algorithm(
            name="A2C",
            target="stable_baselines3:A2C",
            uses_masks=False,
            hyperparameters=_EVERY_ACTOR_CRITIC | _CONTINUOUS_ACTIONS,
        ),
    )
}


def known_algorithm(name: str) -> str:
    """Return `name` if the algorithm exists; otherwise raise ValueError with the known ones and a hint."""
    if name not in ALGORITHMS:
        hint = algorithm_hint(name, ALGORITHMS)
        raise ValueError(f"unknown algorithm {name!r}, known are {', '.join(ALGORITHMS)}{hint}")
    return name
