"""The agent configs of a sweep, from files, patterns, dicts and a search space, or all their problems."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.given import GivenConfig, given_config
from rlsweep.config.loading import LoadedAgent, combination_problems, load_agent
from rlsweep.config.overrides import Override
from rlsweep.config.patterns import expand
from rlsweep.config.rllib import rllib_problems
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError
from rlsweep.planning.advice import absent_bases, base_file
from rlsweep.spaces.flags import SpaceFlags
from rlsweep.spaces.recognition import is_space, is_space_file

if TYPE_CHECKING:
    from rlsweep.spaces.space import SearchSpace

GivenAgent = str | Path | Mapping[str, Any]
"""An agent config as the user gives it: a file, a folder, a glob, or a dict. One may be a search space instead."""

_Result = TypeVar("_Result")


class Problems:
    """Collects the problems of all files and flags, so that one error reports them together."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}
        self._pasted: dict[str, None] = {}

    def add(self, problems: Sequence[str]) -> None:
        """Keep these problems."""
        self._found |= dict.fromkeys(problems)

    def gather(self, function: Callable[..., _Result], *arguments: Any) -> _Result | None:
        """Call `function`; if it raises ConfigError, keep the problems and return None."""
        try:
            return function(*arguments)
        except ConfigError as exc:
            self.add(exc.problems)
            self._pasted |= dict.fromkeys(exc.pasted)
            return None

    def raise_any(self) -> None:
        """Raise ConfigError with what was kept, if anything was."""
        if self._found:
            raise ConfigError(*self._found, pasted=tuple(self._pasted))


@dataclass(frozen=True, kw_only=True, slots=True)
class GivenAgents:
    """agents: the base of the search space and its draws first, then files, sorted, then dicts in the given order.

    left_out: warnings of links that lead nowhere
    space: the search space among what was given
    """

    agents: list[LoadedAgent]
    left_out: list[str]
    space: "SearchSpace | None"


def load_all(
    configs: Sequence[GivenAgent],
    flags: SpaceFlags,
    training: TrainingConfig,
    overrides: Sequence[Override],
    problems: Problems,
    *,
    with_base: bool,
) -> GivenAgents:
    """Read all that was given as agent configs. What is wrong is added to `problems`."""
    patterns = [str(config) for config in configs if not isinstance(config, Mapping)]
    left_out: list[str] = []
    paths = (problems.gather(expand, patterns, left_out.append) or ()) if patterns or not configs else ()
    named = {f"configs[{index}]": config for index, config in enumerate(configs) if isinstance(config, Mapping)}
    sources = [source for name, config in named.items() if (source := source_of(config, name, problems)) is not None]
    spaces: list[Path | GivenConfig] = [
        *filter(is_space_file, paths),
        *(source for source in sources if is_space(source.data)),
    ]
    paths = tuple(path for path in paths if path not in spaces)
    drawn: list[LoadedAgent] = []
    space = None
    if spaces or flags.given:
        drawn, space = _drawn(spaces, paths, flags, training, overrides, problems)
        base = {os.path.realpath(agent.path) for agent in drawn if agent.path is not None}
        paths = tuple(path for path in paths if os.path.realpath(path) not in base)
    files = load(paths, training, overrides, problems)
    dicts = load([source for source in sources if source not in spaces], training, overrides, problems)
    if with_base:
        problems.add(_bases_not_found([*files, *dicts]))
        files = sorted(
            [*files, *load(absent_bases([*drawn[:1], *files]), training, overrides, problems)],
            key=lambda file: str(file.path),
        )
    problems.add(_same_twice(dicts))
    return GivenAgents(agents=[*drawn, *files, *dicts], left_out=left_out, space=space)


def source_of(config: Mapping[str, Any], name: str, problems: Problems) -> GivenConfig | None:
    """A dict with its name for messages; None if it has invalid values."""
    return problems.gather(partial(given_config, name=name), config)


def load(
    sources: Sequence[Path | GivenConfig], training: TrainingConfig, overrides: Sequence[Override], problems: Problems
) -> list[LoadedAgent]:
    """Read agent configs; those with problems are left out."""
    loaded = (problems.gather(load_agent, source, training.hyperparameters, overrides) for source in sources)
    agents = [agent for agent in loaded if agent is not None]
    for agent in agents:
        problems.add(combination_problems(agent, training))
        problems.add([f"{agent.source}: {problem}" for problem in rllib_problems(agent.config, training)])
    return agents


def _drawn(
    spaces: Sequence[Path | GivenConfig],
    files: Sequence[Path],
    flags: SpaceFlags,
    training: TrainingConfig,
    overrides: Sequence[Override],
    problems: Problems,
) -> "tuple[list[LoadedAgent], SearchSpace | None]":
    """The search space, with its base config and what is drawn next to it; nothing where they have problems."""
    from rlsweep.planning.drawing import drawn_sources, given_space  # most plans draw nothing

    space = problems.gather(given_space, spaces, files, flags)
    if space is None:
        return [], None
    base = load([space.base], training, overrides, problems)
    sources = problems.gather(drawn_sources, space, base[0], training, overrides) if base else None
    return [*base, *load(sources or (), training, overrides, problems)], space


def _same_twice(dicts: Sequence[LoadedAgent]) -> list[str]:
    """Dicts have no path, so two of them must differ in short name or hyperparameters."""
    first: dict[tuple[str, str], LoadedAgent] = {}
    problems = []
    for agent in dicts:
        one = first.setdefault((agent.config.short_name, hyperparameter_hash(agent.config)), agent)
        if one is not agent:
            problems.append(
                f"{agent.source}: same short name {agent.config.short_name} and hyperparameters as {one.source}; "
                "remove it, or give it another sweep_variant"
            )
    return problems


def _bases_not_found(agents: Sequence[LoadedAgent]) -> list[str]:
    bases = {agent.config.short_name for agent in agents if agent.config.sweep_variant is None}
    problems = []
    for agent in agents:
        base = f"{agent.config.agent_id}_v{agent.config.version}"
        if agent.config.sweep_variant is None or base_file(agent) is not None:
            continue
        if agent.path is not None:
            problems.append(f"--with-base: no base config for {agent.source}; expected {base}.yaml in its folder")
        elif base not in bases:
            problems.append(f"--with-base: {agent.source} is a dict and has no folder; add {base} to configs")
    return problems
