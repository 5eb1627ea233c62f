"""W&B's files: sweeps, whose parameters have values or ranges, and the configs that it saves of runs."""

from collections.abc import Mapping
from typing import Any

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.foreign.blocks import Answer, block
from rlsweep.config.foreign.translation import Translation, our_key, translate
from rlsweep.config.foreign.values import converted
from rlsweep.config.foreign.variants import Choice, choice_values, variant_blocks
from rlsweep.config.keys import leaf_keys

_MARKS = ("method", "program", "metric", "command", "early_terminate")


def is_wandb(data: Mapping[str, Any]) -> bool:
    """Whether a file's root is that of a W&B sweep, or of a run's config."""
    if "wandb_version" in data or "_wandb" in data:
        return True
    return isinstance(data.get("parameters"), Mapping) and any(mark in data for mark in _MARKS)


def wandb_answer(data: Mapping[str, Any]) -> Answer:
    """What to write instead of a W&B file: an agent config, for each value of a sweep, and a training config."""
    is_sweep = "parameters" in data
    fixed, choices, left_out = _sorted_out(data["parameters"] if is_sweep else _of_run(data))
    found = translate(fixed)
    algorithm = next((name for name in ALGORITHMS if name == fixed.get("algorithm", fixed.get("algo"))), "PPO")
    identity = {"agent_id": "agent", "name": f"{algorithm} from W&B", "algorithm": algorithm, "version": 1}
    found.left_out.pop("algo", None)
    found.drop_invalid(identity)
    found.left_out |= left_out
    agent = identity | {key: value for key, value in found.agent.items() if key != "algorithm"}
    blocks = variant_blocks(agent, choices, is_grid=data.get("method") == "grid")
    what = "sweep file of W&B; write an agent config for each value" if is_sweep else "run's config of W&B; write ours"
    return Answer(f"is a {what} instead", (*blocks, *_rest(found)))


def _of_run(data: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a run's config, which W&B saves as `{desc: …, value: …}`, in the form of a sweep's parameters."""
    return {
        key: {"value": given["value"]}
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


def _sorted_out(parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[Choice], dict[str, str]]:
    """Fixed parameters, those with a choice by our dotted key, and those that no agent config can vary."""
    fixed: dict[str, Any] = {}
    choices: list[Choice] = []
    left_out: dict[str, str] = {}
    for name, given in parameters.items():
        if isinstance(given, Mapping) and isinstance(given.get("parameters"), Mapping):
            inner = _sorted_out(given["parameters"])
            fixed |= inner[0]
            choices += inner[1]
            left_out |= inner[2]
            continue
        values = choice_values(given)
        if values is None:
            left_out[name] = "W&B's distribution has no ends; write the values to try"
        elif len(values) == 1:
            fixed[name] = values[0]
        elif (key := our_key(name)) is None or not values:
            left_out[name] = "rlsweep has no such key"
        elif key not in leaf_keys(AgentConfig):
            left_out[name] = f"{key} is the same for a whole sweep: submit one for each of its values"
        else:
            try:
                choices.append(Choice(key, tuple(converted(key, value) for value in values)))
            except ValueError as exc:
                left_out[name] = str(exc)
    return fixed, choices, left_out
