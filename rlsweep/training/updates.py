"""Diagnostics of one update: convert SB3's log values to an `Update`, and detect divergence."""

import math
from collections.abc import Mapping
from typing import Any

import torch
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.errors import DivergedError
from rlsweep.metrics import BY_NAME
from rlsweep.runs import Update
from rlsweep.training.fast.actor import NotANumberError


def read_update(logged: Mapping[str, Any], *, update: int, env_steps: int, steps_per_second: float) -> Update:
    """Make the record of an update from the values that SB3's `train` wrote to its logger.

    A2C names its policy loss differently and logs neither KL nor clip fraction.
    """
    policy_loss = logged[
        "train/policy_gradient_loss" if "train/policy_gradient_loss" in logged else "train/policy_loss"
    ]
    return Update(
        update=update,
        env_steps=env_steps,
        policy_loss=float(policy_loss),
        value_loss=float(logged["train/value_loss"]),
        entropy=-float(logged["train/entropy_loss"]),
        approx_kl=_finite(logged.get("train/approx_kl")),
        clip_fraction=_finite(logged.get("train/clip_fraction")),
        # undefined if all returns of the rollout are equal
        explained_variance=_finite(logged.get("train/explained_variance")),
        gradient_steps=int(logged[BY_NAME["gradient_steps"].tag]),
        learning_rate=float(logged["train/learning_rate"]),
        steps_per_second=steps_per_second,
    )


def check_finite(update: Update, model: OnPolicyAlgorithm) -> None:
    """Raise DivergedError if a loss or a weight is not finite."""
    for name, value in (
        ("policy loss", update.policy_loss),
        ("value loss", update.value_loss),
        ("entropy", update.entropy),
    ):
        if not math.isfinite(value):
            raise diverged(update.update, update.env_steps, f"the {name} became {value}")
    if not parameters_are_finite(model):
        raise diverged(update.update, update.env_steps, "the network's weights became NaN or infinite")


def parameters_are_finite(model: OnPolicyAlgorithm) -> bool:
    """Whether all weights of the policy and value networks are finite."""
    with torch.no_grad():
        # a sum, which takes a fifth of the time, is finite only if all are; but it may overflow
        return all(
            math.isfinite(weights.sum().item()) or bool(torch.isfinite(weights).all())
            for weights in model.policy.parameters()
        )


def is_refused_distribution(exc: ValueError) -> bool:
    """Whether `exc` says that an action distribution has invalid parameters; torch or the fast engine raises it."""
    return isinstance(exc, NotANumberError) or str(exc).startswith("Expected parameter ")


def diverged(update: int, env_steps: int, what: str) -> DivergedError:
    """Make the error of an update that diverged."""
    return DivergedError(
        f"Training diverged at update {update} ({env_steps} env steps): {what}. "
        "Lower the learning rate or max_grad_norm, and check the scale of the rewards."
    )


def _finite(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
