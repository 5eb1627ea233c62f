"""Sixteen configs of connect_four, of which the benchmarks of races choose."""

from typing import Any

STEPS = 20_480
BASE: dict[str, Any] = {
    "agent_id": "raced",
    "name": "raced",
    "algorithm": "MaskablePPO",
    "version": 1,
    "learning_rate": 3e-4,
    "gamma": 0.99,
    "n_steps": 2048,
    "batch_size": 64,
    "n_epochs": 10,
    "network": {"net_arch": [256, 256]},
    "ppo": {"ent_coef": 0.01, "clip_range": 0.2},
}

FIRST: dict[str, dict[str, Any]] = {
    "lr_3e-5": {"learning_rate": 3e-5},
    "base": {},
    "lr_1e-3": {"learning_rate": 1e-3},
    "lr_3e-3": {"learning_rate": 3e-3},
    "lr_1e-2": {"learning_rate": 1e-2},
    "gamma_0.9": {"gamma": 0.9},
    "ent_0.1": {"ppo": {"ent_coef": 0.1}},
    "small_net": {"network": {"net_arch": [16]}},
}
OTHERS: dict[str, dict[str, Any]] = {
    "lr_1e-4": {"learning_rate": 1e-4},
    "lr_5e-3": {"learning_rate": 5e-3},
    "gamma_0.999": {"gamma": 0.999},
    "epochs_3": {"n_epochs": 3},
    "epochs_20": {"n_epochs": 20},
    "clip_0.3": {"ppo": {"clip_range": 0.3}},
    "net_64": {"network": {"net_arch": [64, 64]}},
    "batch_256": {"batch_size": 256},
}


def agent_of(changes: dict[str, Any]) -> dict[str, Any]:
    """The agent config with these changes."""
    return BASE | {key: BASE[key] | value if isinstance(value, dict) else value for key, value in changes.items()}
