"""The agent config: one file of hyperparameters."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from rlsweep.config.schedule import ScheduledValue


class StrictModel(BaseModel):
    """Unknown keys are errors, values are frozen, NaN and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


Positive = Annotated[float, Field(gt=0)]
Layers = Annotated[tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(max_length=16)]


class SplitLayers(StrictModel):
    """Hidden layers of the policy and the value network where they differ."""

    pi: Layers
    vf: Layers


class NetworkConfig(StrictModel):
    """The policy and value networks."""

    policy: str = "MlpPolicy"
    net_arch: Layers | SplitLayers = (256, 256)
    activation_fn: Literal["tanh", "relu", "elu"] = "tanh"


class PPOConfig(StrictModel):
    """PPO's own parameters, with SB3's meaning."""

    clip_range: ScheduledValue = 0.2
    clip_range_vf: ScheduledValue | None = None
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    max_grad_norm: Positive = 0.5
    gae_lambda: Annotated[float, Field(ge=0, le=1)] = 0.95
    normalize_advantage: bool = True
    target_kl: Positive | None = None


class ExplorationConfig(StrictModel):
    """Stands in configs that people already have; PPO explores by its entropy and ignores it."""

    type: str = "none"


class AgentConfig(StrictModel):
    """One agent config file, complete: the seed document's schema and what SB3 users expect beyond it."""

    agent_id: str
    name: str
    algorithm: str
    version: Annotated[int, Field(ge=0)]
    sweep_variant: str | None = None
    description: str = ""

    learning_rate: ScheduledValue = 3.0e-4
    gamma: Annotated[float, Field(ge=0, le=1)] = 0.99
    n_steps: Annotated[int, Field(ge=1)] = 2048
    batch_size: Annotated[int, Field(ge=1)] = 64
    n_epochs: Annotated[int, Field(ge=1)] = 10

    network: NetworkConfig = NetworkConfig()
    ppo: PPOConfig = PPOConfig()
    exploration: ExplorationConfig = ExplorationConfig()

    @property
    def short_name(self) -> str:
        """`ppo_agent_lr_high` for a variant, `ppo_agent_v1` for a base config."""
        return f"{self.agent_id}_{self.sweep_variant}" if self.sweep_variant else f"{self.agent_id}_v{self.version}"
