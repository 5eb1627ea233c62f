"""W&B's files: sweeps, whose parameters have values or ranges, and the configs that it saves of runs."""

from collections.abc import Mapping
from typing import Any

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.foreign.blocks import Answer, block, file_of
from rlsweep.config.foreign.translation import Translation, translate

_MARKS = ("method", "program", "metric", "command", "early_terminate")


def is_wandb(data: Mapping[str, Any]) -> bool:
    """Whether a file's root is that of a W&B sweep, or of a run's config."""
    return "wandb_version" in data or "_wandb" in data or is_sweep(data)


def is_sweep(data: Mapping[str, Any]) -> bool:
    """Whether a file's root is that of a W&B sweep."""
    return isinstance(data.get("parameters"), Mapping) and any(mark in data for mark in _MARKS)


def wandb_answer(data: Mapping[str, Any]) -> Answer:
    """What to write instead of a W&B file; a sweep is for `rlsweep import`."""
    if is_sweep(data):
        return Answer("is a sweep file of W&B", to_import=True)
    fixed = _of_run(data)
    found = translate(fixed)
    algorithm = next((name for name in ALGORITHMS if name == fixed.get("algorithm", fixed.get("algo"))), "PPO")
    identity = {"agent_id": "agent", "name": f"{algorithm} from W&B", "algorithm": algorithm, "version": 1}
    found.left_out.pop("algo", None)
    found.drop_invalid(identity)
    agent = identity | {key: value for key, value in found.agent.items() if key != "algorithm"}
    return Answer("is a run's config of W&B; write ours instead", (block(file_of(agent), agent), *_rest(found)))


def _of_run(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a run's config, which W&B saves as `{desc: …, value: …}`."""
    return {
        key: given["value"]
        for key, given in data.items()
        if not key.startswith("_") and isinstance(given, Mapping) and "value" in given
    }


def _rest(found: Translation) -> list[str]:
    """The training config, what was left out, and the command."""
    command = "# Then type: rlsweep submit 'agent_*.yaml'"
    if found.training:
        blocks = [block("training.yaml", found.training)]
        command += " --base-config training.yaml"
    else:
        blocks = []
        command += " --set environment=ID --total-timesteps N"
    return [*blocks, "\n".join([*(f"# {note}" for note in found.notes()), command])]
