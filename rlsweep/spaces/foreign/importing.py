"""A file of another tool → files of ours: a search space with its base config, and a training config."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.foreign.blocks import as_yaml, file_of, file_part
from rlsweep.config.foreign.optuna import distributions, is_optuna
from rlsweep.config.foreign.translation import Translation, our_key, translate
from rlsweep.config.foreign.values import converted
from rlsweep.config.foreign.wandb import is_sweep
from rlsweep.config.foreign.zoo import is_zoo, zoo_answer
from rlsweep.config.problems import shown
from rlsweep.config.text_values import TextError, parse_yaml
from rlsweep.errors import ConfigError
from rlsweep.spaces.entries import read_entry
from rlsweep.spaces.foreign.parameters import Entry, optuna_entry, wandb_entry
from rlsweep.spaces.keys import condition_key, drawn_key
from rlsweep.spaces.recognition import is_space
from rlsweep.spaces.schema import refused_values
from rlsweep.spaces.space import ADAPTIVE, MAX_CONFIGS

_WANDB_KEYS = ("parameters", "method", "run_cap", "name", "description", "program", "project", "entity", "command")
_REASONS = {
    "metric": "a race is told its objective: rlsweep race --objective",
    "early_terminate": "a race stops configs that are behind by itself: rlsweep race",
}
_SAMPLERS = {"bayes": "tpe"}
"""Other names of ours."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What a file became.

    files: text by file name, the search space first
    left_out: what could not be translated, with the reason, by its name there
    changed: what is not quite the same here, likewise
    command: what to type next
    """

    files: dict[str, str]
    left_out: dict[str, str]
    changed: dict[str, str]
    command: str


def import_data(data: Mapping[str, Any], stem: str) -> Imported:
    """Translate the root of a file of W&B, rl-zoo or Optuna; `stem` is the file's name without its extension.

    Raises ConfigError where it is none, or nothing in it can be drawn.
    """
    if is_sweep(data):
        sampler = data.get("method", "random")
        found = _Space(stem, sampler, data.get("run_cap"))
        found.add_all(data["parameters"], wandb_entry)
        found.left_out |= {key: _REASONS.get(key, "a sweep has no such key") for key in data if key not in _WANDB_KEYS}
        return found.imported()
    if is_zoo(data):
        return _of_zoo(data, stem)
    if is_optuna(data):
        given = distributions(data) or {}
        found = _Space(stem, "sobol", data.get("n_trials"))
        found.add_all(given, optuna_entry)
        return found.imported()
    if is_space(data) or "agent_id" in data:
        raise ConfigError("is a file of rlsweep already; give it to plan, submit, race or train as it is")
    raise ConfigError(
        "is neither a sweep file of W&B, nor hyperparameters of rl-zoo, nor distributions of Optuna; write a search "
        "space as config/sweeps/README.md shows it"
    )


@dataclass(slots=True)
class _Space:
    """A search space that is being translated; reasons are by the name that a key has there."""

    stem: str
    sampler: Any
    configs: Any
    fixed: dict[str, Any] = field(default_factory=dict)
    drawn: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)

    def add_all(self, parameters: Mapping[str, Any], read: Callable[[Any], Entry]) -> None:
        """Translate parameters, nested ones of W&B too."""
        for name, given in parameters.items():
            if isinstance(given, Mapping) and isinstance(given.get("parameters"), Mapping):
                self.add_all(given["parameters"], read)
                continue
            try:
                self._add(name, read(given))
            except ValueError as exc:
                self.left_out[name] = str(exc)

    def _add(self, name: str, entry: Entry) -> None:
        if entry.drawn is None:
            self.fixed[name] = entry.fixed
        else:
            key = our_key(name)
            if key is None:
                raise ValueError("rlsweep has no such key")
            key = drawn_key(key)
            if key in self.drawn:
                raise ValueError(f"{key} is drawn already")
            self.drawn[key] = _accepted(key, entry.drawn)
        if entry.note is not None:
            self.changed[name] = entry.note

    def imported(self) -> Imported:
        """The files."""
        if not self.drawn:
            reasons = "; ".join(f"{key}: {reason}" for key, reason in self.left_out.items())
            raise ConfigError(f"has no parameter that can be drawn here{f' ({reasons})' if reasons else ''}")
        name = file_part(self.stem)
        agent, found = self._base(name)
        base, space = file_of(agent), f"{name}_space.yaml"
        files = {space: self._text(base), base: as_yaml(agent) + "\n"}
        command = f"rlsweep plan {space}{' --race' if self._ours in ADAPTIVE else ''}"
        if found.training:
            files[f"{name}_training.yaml"] = as_yaml(found.training) + "\n"
            command += f" --base-config {name}_training.yaml"
        else:
            command += " --set environment=ID --total-timesteps N"
        return Imported(files=files, left_out=found.left_out | self.left_out, changed=self.changed, command=command)

    def _base(self, name: str) -> tuple[dict[str, Any], Translation]:
        """The base config of the fixed values, and the training config and what was left out beside it."""
        given = self.fixed.get("algorithm", self.fixed.get("algo"))
        algorithm = next((each for each in ALGORITHMS if each == given), "PPO")
        identity = {"agent_id": name, "name": f"{algorithm} from {name}", "algorithm": algorithm, "version": 1}
        found = translate(self.fixed)
        if given in ALGORITHMS:
            found.left_out.pop("algo", None)
        found.drop_invalid(identity)
        return identity | {key: value for key, value in found.agent.items() if key != "algorithm"}, found

    @property
    def _ours(self) -> str:
        """The sampler that the file asks for, as we call it."""
        return _SAMPLERS.get(self.sampler, self.sampler) if isinstance(self.sampler, str) else "random"

    def _text(self, base: str) -> str:
        """The search space as YAML."""
        sampler = self._ours
        if sampler in ADAPTIVE:
            self.changed["method"] = f"{self.sampler} is {sampler} here, which draws configs while a race runs"
        elif sampler != self.sampler:
            self.changed["method"] = f"{shown(self.sampler)} is no sampler here, and {sampler} stands in"
        if sampler == "grid" and not all(each.keys() & {"choice", "step", "integer"} for each in self.drawn.values()):
            sampler = "sobol"
            self.changed["method"] = "a grid needs single values, and a range has none; sobol stands in"
        lines = [f"base: {base}", f"sampler: {sampler}"]
        if isinstance(self.configs, int) and 2 <= self.configs <= MAX_CONFIGS:
            lines.append(f"configs: {self.configs}")
        return "\n".join([*lines, "space:", *(f"  {key}: {_flow(each)}" for key, each in self.drawn.items())]) + "\n"


def _accepted(key: str, entry: dict[str, Any]) -> dict[str, Any]:
    """The entry with values as our key has them. Raises ValueError where the key cannot have them."""
    ours = {name: [converted(key, value) for value in each] if isinstance(each, list) else each
            for name, each in entry.items()}  # fmt: skip
    problem = _problem(key, ours)
    if problem is not None and ": must be a whole number; write" in problem:
        ends = [round(value) for value in next(iter(ours.values()))]
        ours = {"log_integer" if "log" in ours else "integer": ends}
        problem = _problem(key, ours)
    if problem is not None:
        raise ValueError(problem.removeprefix(": "))
    return ours


def _problem(key: str, entry: dict[str, Any]) -> str | None:
    dimension, problems = read_entry(key, entry, condition_key)
    return next(iter([*problems, *([] if dimension is None else refused_values(dimension))]), None)


def _of_zoo(data: Mapping[str, Any], stem: str) -> Imported:
    """rl-zoo's files have one config for each environment, and no ranges."""
    answer = zoo_answer(data, stem)
    if not answer.blocks:
        raise ConfigError(answer.problem)
    files: dict[str, str] = {}
    left_out: dict[str, str] = {}
    commands = []
    for text in answer.blocks:
        head, _, rest = text.partition("\n")
        if head.endswith(".yaml") and rest:
            files[head.removeprefix("# ")] = rest + "\n"
        elif head.startswith("# Then type: "):
            commands.append(head.removeprefix("# Then type: "))
        elif head.startswith("# Further environments: "):
            left_out["further environments"] = head.removeprefix("# Further environments: ")
    return Imported(files=files, left_out=left_out, changed={}, command=commands[0])


def _flow(entry: dict[str, Any]) -> str:
    """An entry on one line of YAML that reads back as the same values."""
    text: str = yaml.safe_dump(entry, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
    try:
        keeps_all = parse_yaml(text) == entry
    except TextError:
        keeps_all = False
    return text.strip() if keeps_all else json.dumps(entry, ensure_ascii=False)
