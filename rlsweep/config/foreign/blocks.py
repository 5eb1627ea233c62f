"""Text to paste into files: agent configs and training configs as YAML."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

from rlsweep.config.agent import AgentConfig
from rlsweep.config.keys import sections
from rlsweep.config.text_values import TextError, parse_yaml
from rlsweep.config.training import TrainingConfig

_ORDER = ("agent_id", "name", "algorithm", "version", "sweep_variant", "description")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is wrong with a file, in one line, and what to write instead.

    problem: without the file's name
    blocks: texts to paste, each headed by the name of its file; then the command, as a comment
    to_import: whether `rlsweep import` writes the files
    """

    problem: str
    blocks: tuple[str, ...] = ()
    to_import: bool = False


def block(file: str, data: Mapping[str, Any], *, notes: Iterable[str] = ()) -> str:
    """A config as YAML, below a comment with its file's name and further comments."""
    heads = [f"# {file}", *(f"# {note}" for note in notes)]
    return "\n".join([*heads, as_yaml(data)])


def as_yaml(data: Mapping[str, Any]) -> str:
    """Write a config as YAML that reads back as the same values: a key a line, lists and small mappings on one."""
    model = AgentConfig if "agent_id" in data else TrainingConfig
    return "\n".join(_entry(key, value) for key, value in _ordered(data, model).items())


def _entry(key: str, value: Any) -> str:
    is_scalar = not isinstance(value, dict | list)
    options: dict[str, Any] = {
        "sort_keys": False, "allow_unicode": True, "width": 110, "default_flow_style": False if is_scalar else None,
    }  # fmt: skip
    text: str = yaml.safe_dump({key: value}, **options)
    if not _reads_back(text, {key: value}):
        text = json.dumps({key: value}, ensure_ascii=False)[1:-1]  # PyYAML gives text such as 3e-4 no quotes
    return text.rstrip("\n")


def _ordered(data: Mapping[str, Any], model: type[BaseModel]) -> dict[str, Any]:
    """The values in the order of the model's fields, those that tell who the config is first."""
    below = sections(model)
    return {
        key: _ordered(data[key], below[key]) if key in below and isinstance(data[key], dict) else data[key]
        for key in sorted(data, key=lambda key: _place(key, model))
    }


def file_part(text: str) -> str:
    """Text as a part of a file's name and an `agent_id`; `config` if nothing of it can be."""
    return re.sub(r"[^A-Za-z0-9_.]+", "_", text).strip("_.")[:60] or "config"


def file_of(agent: Mapping[str, Any]) -> str:
    """The usual file name of an agent config."""
    variant = agent.get("sweep_variant")
    return f"{agent['agent_id']}_sweep_{variant}.yaml" if variant else f"{agent['agent_id']}_v{agent['version']}.yaml"


def _place(key: str, model: type[BaseModel]) -> tuple[int, int]:
    if key in _ORDER:
        return (0, _ORDER.index(key))
    fields = list(model.model_fields)
    return (1, fields.index(key)) if key in fields else (2, 0)


def _reads_back(text: str, data: Any) -> bool:
    try:
        return bool(parse_yaml(text) == data)
    except TextError:
        return False
