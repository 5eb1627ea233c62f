"""The runs that the rules of the PPO doctor are set on and tested on.

apart: healthy runs from which the thresholds were set, besides the literature
healthy: other seeds and settings of four environments, looked at only once the thresholds stood
sick: runs with one hyperparameter, or the scale of the reward, made wrong on purpose
"""

from dataclasses import dataclass, field
from typing import Any, SupportsFloat

import gymnasium as gym

BASE: dict[str, Any] = {
    "agent_id": "doctor",
    "name": "doctor",
    "algorithm": "MaskablePPO",
    "version": 1,
    "learning_rate": 3e-4,
    "gamma": 0.99,
    "n_steps": 1024,
    "batch_size": 64,
    "n_epochs": 10,
    "network": {"net_arch": [64, 64]},
    "ppo": {"ent_coef": 0.01, "clip_range": 0.2},
}

CARTPOLE, ACROBOT = {"id": "CartPole-v1"}, {"id": "Acrobot-v1"}
CONNECT_FOUR, BREAKTHROUGH = {"id": "open_spiel/connect_four"}, {"id": "open_spiel/breakthrough"}
TIC_TAC_TOE = {"id": "open_spiel/tic_tac_toe"}
ZOO = {
    "n_steps": 256,
    "batch_size": 256,
    "n_epochs": 20,
    "learning_rate": "linear_1.0e-3",
    "gamma": 0.98,
    "ppo": {"ent_coef": 0.0, "gae_lambda": 0.8},
}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One run: what is changed of the base config, its environment and how long it is trained."""

    environment: dict[str, Any]
    changes: dict[str, Any] = field(default_factory=dict)
    seed: int = 0
    steps: int = 30_720

    @property
    def agent(self) -> dict[str, Any]:
        """The agent config."""
        return BASE | {
            key: BASE[key] | value if isinstance(value, dict) else value for key, value in self.changes.items()
        }


class ScaledRewards(gym.Wrapper[Any, Any, Any, Any]):
    """Rewards times a factor, which grows with each episode.

    Large ones make a value loss whose gradient is all that gradient clipping leaves; growing ones are those of an
    environment with a fault. Both are what `normalize_rewards` is for.
    """

    def __init__(self, env: gym.Env[Any, Any], factor: float = 1.0, growth: float = 1.0) -> None:
        super().__init__(env)
        self._factor, self._growth = factor, growth

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self._factor *= self._growth
        return self.env.reset(seed=seed, options=options)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        return observation, self._factor * float(reward), terminated, truncated, info


def scaled(environment: dict[str, Any], **kwargs: float) -> dict[str, Any]:
    """The environment with its rewards scaled."""
    return environment | {"wrappers": [{"id": "doctor_cases:ScaledRewards", "kwargs": kwargs}]}


SICK = {
    "learning_rate_0.1": Case(environment=CARTPOLE, changes={"learning_rate": 0.1}),
    "learning_rate_1e-7": Case(environment=CARTPOLE, changes={"learning_rate": 1e-7}),
    "ent_coef_0_rate_0.05": Case(environment=ACROBOT, changes={"learning_rate": 0.05, "ppo": {"ent_coef": 0.0}}),
    "learning_rate_1e30": Case(environment=CARTPOLE, changes={"learning_rate": 1e30}),
    "growing_rewards": Case(environment=scaled(CARTPOLE, growth=1.01)),
    "rewards_times_0.001": Case(environment=scaled(CONNECT_FOUR, factor=1e-3)),
    "rewards_times_1000": Case(environment=scaled(CARTPOLE, factor=1e3)),
    "short_rollouts_80_epochs": Case(
        environment=CONNECT_FOUR,
        changes={"n_steps": 64, "n_epochs": 80, "learning_rate": 3e-3},
        steps=6_400,
    ),
    "ent_coef_10": Case(environment=CARTPOLE, changes={"ppo": {"ent_coef": 10.0}}),
    "target_kl_1e-4": Case(environment=CARTPOLE, changes={"ppo": {"target_kl": 1e-4}}),
    "clip_range_1e-4": Case(environment=CARTPOLE, changes={"ppo": {"clip_range": 1e-4}}),
    "clip_range_5": Case(environment=CONNECT_FOUR, changes={"learning_rate": 3e-3, "ppo": {"clip_range": 5.0}}),
    "clip_range_0.1_high_rate": Case(
        environment=BREAKTHROUGH, changes={"learning_rate": 1e-3, "ppo": {"clip_range": 0.1}}
    ),
    "n_epochs_50": Case(environment=CONNECT_FOUR, changes={"n_epochs": 50, "learning_rate": 1e-3}),
    "vf_coef_1e-9": Case(environment=CARTPOLE, changes={"ppo": {"vf_coef": 1e-9}}),
    "no_gradient_clipping": Case(
        environment=CARTPOLE, changes={"learning_rate": 0.3, "ppo": {"max_grad_norm": 1e9, "vf_coef": 100.0}}
    ),
}

APART = {
    **{f"cartpole_{seed}": Case(environment=CARTPOLE, seed=seed) for seed in range(2)},
    "cartpole_zoo": Case(environment=CARTPOLE, changes=ZOO),
    "cartpole_target_kl": Case(environment=CARTPOLE, changes={"ppo": {"target_kl": 0.02}}, seed=3),
    "cartpole_rate_1e-3": Case(environment=CARTPOLE, changes={"learning_rate": 1e-3}, seed=4),
    "acrobot": Case(environment=ACROBOT, steps=51_200),
    "acrobot_rate_1e-3": Case(environment=ACROBOT, changes={"learning_rate": 1e-3}, steps=40_960),
    **{f"connect_four_{seed}": Case(environment=CONNECT_FOUR, seed=seed) for seed in range(2)},
    "connect_four_rate_1e-3": Case(environment=CONNECT_FOUR, changes={"learning_rate": 1e-3}),
    "connect_four_rate_3e-5": Case(environment=CONNECT_FOUR, changes={"learning_rate": 3e-5}),
    "breakthrough": Case(environment=BREAKTHROUGH),
    "breakthrough_rate_1e-3": Case(environment=BREAKTHROUGH, changes={"learning_rate": 1e-3}),
    "tic_tac_toe": Case(environment=TIC_TAC_TOE),
    "tic_tac_toe_entropy": Case(environment=TIC_TAC_TOE, changes={"ppo": {"ent_coef": 0.1}, "gamma": 1.0}),
}

HEALTHY = {
    **{f"cartpole_{seed}": Case(environment=CARTPOLE, seed=seed) for seed in range(100, 103)},
    **{f"cartpole_long_rollouts_{seed}": Case(environment=CARTPOLE, changes={"n_steps": 2048}, seed=seed, steps=40_960)
       for seed in range(103, 105)},
    **{f"acrobot_{seed}": Case(environment=ACROBOT, seed=seed, steps=51_200) for seed in range(100, 106)},
    **{f"connect_four_{seed}": Case(environment=CONNECT_FOUR, seed=seed) for seed in range(100, 103)},
    **{f"connect_four_rate_6e-4_{seed}": Case(environment=CONNECT_FOUR, changes={"learning_rate": 6e-4}, seed=seed)
       for seed in range(103, 105)},
    **{f"breakthrough_{seed}": Case(environment=BREAKTHROUGH, seed=seed) for seed in range(100, 103)},
    **{f"breakthrough_rate_6e-4_{seed}": Case(environment=BREAKTHROUGH, changes={"learning_rate": 6e-4}, seed=seed)
       for seed in range(103, 105)},
}  # fmt: skip

GROUPS = {"apart": APART, "sick": SICK, "healthy": HEALTHY}
