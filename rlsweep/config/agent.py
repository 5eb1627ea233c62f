"""The agent config: one file of hyperparameters."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag

from rlsweep.config.algorithms import known_algorithm
from rlsweep.config.schedule import Scheduled
from rlsweep.config.stepped import Changing


class StrictModel(BaseModel):
    """Unknown keys are errors, values are frozen, NaN and infinities are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True, defer_build=True)


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")


def _file_name_part(value: str) -> str:
    """Check a name that becomes part of file names, folder names and TensorBoard's run names."""
    if not _NAME.fullmatch(value):
        raise ValueError(
            f"must be at most 100 letters, digits, '_', '-' and '.', starting with a letter or digit; got {value!r}"
        )
    return value


def _one_line(value: str) -> str:
    if not (value.strip() and value.isprintable() and len(value) <= 200):
        raise ValueError("must be one line of 1 to 200 printable characters")
    return value


def _layers_form(value: Any) -> str:
    return "<split>" if isinstance(value, dict | SplitLayers) else "<layers>"


_CLASS = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def _class_name(value: str) -> str:
    if not _CLASS.fullmatch(value):
        module, dot, name = value.rpartition(".")
        near = f"; did you mean {module}:{name}?" if dot and _CLASS.fullmatch(f"{module}:{name}") else ""
        raise ValueError(f"must name a class as module:Class, got {value[:200]!r}{near}")
    return value


AlgorithmName = Annotated[str, AfterValidator(known_algorithm)]
FileNamePart = Annotated[str, AfterValidator(_file_name_part)]
MAX_COUNT = 10**12
Count = Annotated[int, Field(ge=1, le=MAX_COUNT)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Layers = Annotated[tuple[Annotated[int, Field(ge=1, le=65_536)], ...], Field(max_length=16)]


class SplitLayers(StrictModel):
    """Hidden layers, when the policy and the value network differ."""

    pi: Layers
    vf: Layers


class NetworkConfig(StrictModel):
    """The policy and value networks, with SB3's meaning.

    ortho_init: initialise the layers orthogonally
    log_std_init: logarithm of the initial standard deviation of continuous actions
    features_extractor: `module:Class` of a subclass of SB3's BaseFeaturesExtractor; None takes the policy's own
    features_extractor_kwargs: its arguments beside the observation space
    """

    policy: Literal["MlpPolicy", "CnnPolicy"] = "MlpPolicy"
    net_arch: Annotated[
        Annotated[Layers, Tag("<layers>")] | Annotated[SplitLayers, Tag("<split>")], Discriminator(_layers_form)
    ] = (256, 256)
    activation_fn: Literal["tanh", "relu", "elu"] = "tanh"
    ortho_init: bool = True
    log_std_init: float = 0.0
    features_extractor: Annotated[str, AfterValidator(_class_name)] | None = None
    features_extractor_kwargs: dict[str, Any] = Field(default_factory=dict)


class OptimizerConfig(StrictModel):
    """The optimizer beside its learning rate: Adam, for A2C RMSprop.

    eps: added to the denominator of a step
    weight_decay: L2 penalty on the weights
    """

    eps: Positive = 1e-5
    weight_decay: NotNegative = 0.0


class PPOConfig(StrictModel):
    """PPO's own parameters, with SB3's meaning.

    use_sde: explore by noise that depends on the state (gSDE); for continuous actions
    sde_sample_freq: env steps between two draws of that noise; -1 draws once a rollout
    """

    clip_range: Changing[Scheduled] = 0.2
    clip_range_vf: Changing[Scheduled | None] = None
    ent_coef: Changing[NotNegative] = 0.01
    vf_coef: Changing[NotNegative] = 0.5
    max_grad_norm: Changing[Positive] = 0.5
    gae_lambda: Changing[Fraction] = 0.95
    normalize_advantage: bool = True
    target_kl: Changing[Positive | None] = None
    use_sde: bool = False
    sde_sample_freq: Annotated[int, Field(ge=-1, le=MAX_COUNT)] = -1


class Hyperparameters(StrictModel):
    """All hyperparameters except the algorithm; a base config may set defaults for these."""

    learning_rate: Changing[Scheduled] = 3.0e-4
    gamma: Changing[Fraction] = 0.99
    n_steps: Count = 2048
    batch_size: Changing[Count] = 64
    n_epochs: Changing[Count] = 10

    optimizer: OptimizerConfig = Field(default_factory=OptimizerConfig)
    network: NetworkConfig = Field(default_factory=NetworkConfig)
    ppo: PPOConfig = Field(default_factory=PPOConfig)


class AgentConfig(Hyperparameters):
    """One complete agent config file.

    agent_id: the same for all versions and variants of one agent
    sweep_variant: the variant's name; None marks a base config
    exploration: accepted because existing configs have it, and ignored: PPO explores by its entropy
    """

    agent_id: FileNamePart
    name: Annotated[str, AfterValidator(_one_line)]
    algorithm: AlgorithmName
    version: Annotated[int, Field(ge=0, le=2**31 - 1)]
    sweep_variant: FileNamePart | None = None
    description: str = ""
    exploration: dict[str, Any] | None = None

    @property
    def short_name(self) -> str:
        """`ppo_agent_lr_high` for a variant, `ppo_agent_v1` for a base config."""
        return f"{self.agent_id}_{self.sweep_variant}" if self.sweep_variant else f"{self.agent_id}_v{self.version}"
