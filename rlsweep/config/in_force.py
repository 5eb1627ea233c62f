"""The hyperparameters that may change while a run trains, as they are for one rollout and its update."""

from dataclasses import dataclass

from rlsweep.config.agent import Hyperparameters
from rlsweep.config.stepped import is_stepped, value_at


@dataclass(frozen=True, kw_only=True, slots=True)
class InForce:
    """Values with SB3's meaning; text is a linear schedule, which falls by itself."""

    learning_rate: float | str
    gamma: float
    batch_size: int
    n_epochs: int
    ent_coef: float
    vf_coef: float
    clip_range: float | str
    clip_range_vf: float | str | None
    gae_lambda: float
    max_grad_norm: float
    target_kl: float | None


def in_force(agent: Hyperparameters, env_steps: int) -> InForce:
    """The values for a rollout that begins at `env_steps`."""
    ppo = agent.ppo
    return InForce(
        learning_rate=value_at(agent.learning_rate, env_steps),
        gamma=value_at(agent.gamma, env_steps),
        batch_size=value_at(agent.batch_size, env_steps),
        n_epochs=value_at(agent.n_epochs, env_steps),
        ent_coef=value_at(ppo.ent_coef, env_steps),
        vf_coef=value_at(ppo.vf_coef, env_steps),
        clip_range=value_at(ppo.clip_range, env_steps),
        clip_range_vf=value_at(ppo.clip_range_vf, env_steps),
        gae_lambda=value_at(ppo.gae_lambda, env_steps),
        max_grad_norm=value_at(ppo.max_grad_norm, env_steps),
        target_kl=value_at(ppo.target_kl, env_steps),
    )


def change_steps(agent: Hyperparameters) -> tuple[int, ...]:
    """The env steps at which any value changes, rising; without the start."""
    values = [getattr(holder, key) for holder in (agent, agent.ppo) for key in type(holder).model_fields]
    return tuple(sorted({int(step) for value in values if is_stepped(value) for step in value} - {0}))
