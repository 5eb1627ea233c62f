"""Read only a policy's weights from a file that may be untrusted.

SB3's zip files contain pickles, which can run code when they are read: `data`, and in rlsweep's checkpoints also
`vecnormalize.pkl` and `boundary.pkl`. None is read here: the network is built from the config and the environment, and
only tensors are loaded.
"""

import io
import pickle
import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.checkpoint_format import POLICY_MEMBER
from rlsweep.config.run import RunConfig
from rlsweep.errors import CheckpointError
from rlsweep.training.algorithms import build_model, load_algorithm
from rlsweep.training.vector import LeanVecEnv


def load_player(path: Path, config: RunConfig, env: gym.Env[Any, Any]) -> OnPolicyAlgorithm:
    """Build a model that plays in `env` with the file's weights, as `build_player` does.

    Raises CheckpointError if the file cannot be read or has another network, and what `build_model` raises.
    """
    model = build_player(config, env)
    set_policy_weights(model, path, config)
    return model


def build_player(config: RunConfig, env: gym.Env[Any, Any]) -> OnPolicyAlgorithm:
    """Build an untrained model for `env`, on the CPU and with a minimal rollout buffer; raise as `build_model` does."""
    return build_model(load_algorithm(config.agent.algorithm), without_rollouts(config), LeanVecEnv([lambda: env]))


def set_policy_weights(model: OnPolicyAlgorithm, path: Path, config: RunConfig) -> None:
    """Load the weights of the file's policy into a model built from `config`. Raises CheckpointError."""
    weights = _read_weights(path)
    difference = _first_difference(weights, model.policy.state_dict())
    if difference is not None:
        raise CheckpointError(
            f"The policy in {path} does not fit environment '{config.training.environment.id}' and config "
            f"{config.agent.short_name}: {difference}."
        )
    model.policy.load_state_dict(weights)


def without_rollouts(config: RunConfig) -> RunConfig:
    """The config with a minimal rollout buffer, on the CPU, for a model that collects no rollouts."""
    return config.model_copy(
        update={
            "agent": config.agent.model_copy(update={"n_steps": 2, "batch_size": 2}),
            "training": config.training.model_copy(update={"device": "cpu", "engine": "stock"}),
        }
    )


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
    try:
        with zipfile.ZipFile(path) as archive:
            content = archive.read(POLICY_MEMBER)
        weights = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except FileNotFoundError as exc:
        raise CheckpointError(f"Checkpoint not found: {path}.") from exc
    except KeyError as exc:
        raise CheckpointError(f"{path} is no checkpoint of SB3's: it holds no {POLICY_MEMBER}.") from exc
    except (OSError, zipfile.BadZipFile, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as exc:
        reason = str(exc).strip().split("\n", 1)[0]
        raise CheckpointError(f"The policy in {path} cannot be read as weights alone: {reason}") from exc
    if not isinstance(weights, dict) or not all(isinstance(value, torch.Tensor) for value in weights.values()):
        raise CheckpointError(f"The policy in {path} cannot be read as weights alone: it is no table of tensors.")
    return weights


def _first_difference(theirs: dict[str, torch.Tensor], ours: dict[str, torch.Tensor]) -> str | None:
    """Describe the first difference between the shapes of two policies' weights, as a clause; None if there is none."""
    for name in dict.fromkeys([*ours, *theirs]):
        shapes = [_shape(weights.get(name)) for weights in (theirs, ours)]
        if shapes[0] != shapes[1]:
            return f"{name} is {shapes[0]} in the file and {shapes[1]} here"
    return None


def _shape(tensor: torch.Tensor | None) -> str:
    if tensor is None:
        return "missing"
    return "×".join(map(str, tensor.shape)) or "a number"
