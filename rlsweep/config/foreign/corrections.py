"""Agent and training configs with keys or values of other tools: the same config as it is written here."""

from collections.abc import Mapping
from typing import Any

from rlsweep.config.agent import AgentConfig
from rlsweep.config.foreign.blocks import block, file_of, file_part
from rlsweep.config.foreign.translation import IDENTITY, Translation, translate
from rlsweep.config.foreign.variants import Choice, choice_values, variant_blocks
from rlsweep.config.keys import leaf_keys, sections
from rlsweep.config.layers import expand_environment, with_value
from rlsweep.config.limits import MAX_TOLD
from rlsweep.config.problems import check
from rlsweep.config.training import TrainingConfig


def corrected_agent(data: Mapping[str, Any], stem: str) -> tuple[str, ...]:
    """What to write instead of an agent config with problems: blocks to paste; none if no translation mends it.

    stem: the file's name without its extension
    """
    single, choices = _choices(data)
    found = translate(single)
    identity: dict[str, Any] = {}
    if found.translated:  # another tool's file has none of these
        identity = {"agent_id": file_part(stem), "name": file_part(stem), "algorithm": "PPO", "version": 1}
    agent = identity | found.agent
    _, problems = check(AgentConfig, _with_choices(agent, choices))
    if problems or not (found.translated or choices) or _is_of_nobody(found):
        return ()
    _, base_problems = check(TrainingConfig, found.training)
    if base_problems:
        return ()
    blocks = variant_blocks(agent, choices) if choices else [block(file_of(agent), agent)]
    return (*blocks, *_rest(found))


def corrected_training(data: Mapping[str, Any], file: str) -> tuple[str, ...]:
    """What to write instead of a training config with problems; none if no translation mends it."""
    own = {key: value for key, value in data.items() if key in ("name", "description")}
    given = {key: value for key, value in data.items() if key not in own and key != "hyperparameters"}
    found = translate(given)
    hyperparameters = data.get("hyperparameters")
    inner = translate(hyperparameters) if isinstance(hyperparameters, Mapping) else Translation()
    agent = {key: value for key, value in (found.agent | inner.agent).items() if key not in IDENTITY}
    training = own | found.training | ({"hyperparameters": agent} if agent else {})
    if (
        not (found.translated or inner.translated or found.agent)
        or check(TrainingConfig, expand_environment(training))[1]
    ):
        return ()
    if agent and check(AgentConfig, agent | {"agent_id": "a", "name": "a", "algorithm": "PPO", "version": 1})[1]:
        return ()
    rest = Translation(left_out=found.left_out | inner.left_out)
    return () if _is_of_nobody(rest) else (block(file, training, notes=rest.notes()),)


def _is_of_nobody(found: Translation) -> bool:
    """Whether so many keys mean nothing that no tool can have written the config."""
    return len(found.left_out) > MAX_TOLD


def _choices(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Choice]]:
    """The config without the keys that have several values where one belongs, and these keys."""
    single: dict[str, Any] = {}
    choices: list[Choice] = []
    for key, value in data.items():
        if key in sections(AgentConfig) and isinstance(value, Mapping):
            inner = {f"{key}.{name}": each for name, each in value.items()}
            choices += [Choice(name, values) for name, each in inner.items() if (values := _several(name, each))]
            chosen = {choice.key for choice in choices}
            single[key] = {name: each for name, each in value.items() if f"{key}.{name}" not in chosen}
        elif values := _several(key, value):
            choices.append(Choice(key, values))
        else:
            single[key] = value
    return single, choices


def _several(key: str, value: Any) -> tuple[Any, ...] | None:
    """The values of one of our keys, if they are several where one belongs."""
    if key not in leaf_keys(AgentConfig) or key in IDENTITY or key == "network.features_extractor_kwargs":
        return None
    values = choice_values(value)
    if values is None or len(values) < 2:
        return None
    if key == "network.net_arch" and not all(isinstance(each, list | dict) for each in values):
        return None
    return values


def _with_choices(agent: Mapping[str, Any], choices: list[Choice]) -> dict[str, Any]:
    """The agent with the first value of each choice."""
    data = dict(agent)
    for choice in choices:
        data = with_value(data, choice.key, choice.values[0])
    return data


def _rest(found: Translation) -> list[str]:
    """The training config, if the file has values for one, and what was left out."""
    blocks = [block("training.yaml", found.training)] if found.training else []
    return [*blocks, *(["\n".join(f"# {note}" for note in found.notes())] if found.left_out else [])]
