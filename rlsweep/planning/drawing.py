"""The search space among what was given, and the agent configs that are drawn from it."""

from collections.abc import Sequence
from pathlib import Path

from rlsweep.config.given import GivenConfig
from rlsweep.config.loading import LoadedAgent
from rlsweep.config.overrides import Override
from rlsweep.config.reading import read_config_file
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError
from rlsweep.planning.population_keys import unchangeable
from rlsweep.spaces.flags import POPULATION, SpaceFlags
from rlsweep.spaces.keys import base_values
from rlsweep.spaces.reading import read_space, space_of_flags
from rlsweep.spaces.search import draw_all
from rlsweep.spaces.space import SearchSpace
from rlsweep.spaces.writing import written
from rlsweep.stages import stage


def given_space(spaces: Sequence[Path | GivenConfig], files: Sequence[Path], flags: SpaceFlags) -> SearchSpace:
    """The search space that was given as a file, a dict or flags. Raises ConfigError with every problem.

    files: the agent configs that were given; flags alone draw next to the only one
    """
    if len(spaces) > 1:
        raise ConfigError(f"{spaces[1]}: a sweep has one search space, and {spaces[0]} is one; submit each by itself")
    if spaces:
        return read_space(spaces[0], more=flags.as_data())
    if not flags.entries:
        flag, value = next(iter(flags.given.items()))
        raise ConfigError(f"{flag} {value}: nothing is drawn; give a search space, or --space KEY=RANGE")
    if len(files) != 1:
        found = f"{len(files)} were given" if files else "none was given"
        raise ConfigError(f"--space {flags.entries[0]}: name one agent config as the base, {found}")
    return space_of_flags(files[0], flags.as_data())


def drawn_sources(
    space: SearchSpace, base: LoadedAgent, training: TrainingConfig, overrides: Sequence[Override]
) -> list[GivenConfig]:
    """Draw the configs of a space, and write each as an agent config. Raises ConfigError with every problem."""
    problems = [
        f"{override} gives {override.key} one value, and {space.source} draws it; keep one of the two"
        for override in overrides
        if override.for_agent and any(_overlap(override.key, key) for key in space.keys)
    ]
    if space.configs_flag == POPULATION:  # before too few draws are said to be the problem
        problems += unchangeable(space.keys)
    if problems:
        raise ConfigError(*problems)
    source = base.source
    data = source.data if isinstance(source, GivenConfig) else read_config_file(source)
    with stage("Drawing configs"):
        drawn = draw_all(space, base_values(base.config, training, space.keys))
    return [written(space, each, data, base.config.name) for each in drawn]


def _overlap(one: str, other: str) -> bool:
    """Whether setting one key changes the other: the same one, or a section that has it."""
    return one == other or other.startswith(f"{one}.")
