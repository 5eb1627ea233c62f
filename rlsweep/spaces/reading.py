"""A file, a dict or flags → a search space, or all their problems at once."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rlsweep.config.given import GivenConfig
from rlsweep.config.nearest import suggestion
from rlsweep.config.patterns import expand
from rlsweep.config.problems import shown
from rlsweep.config.reading import read_config_file
from rlsweep.errors import ConfigError
from rlsweep.spaces.dimensions import Dimension
from rlsweep.spaces.entries import read_entry
from rlsweep.spaces.expressions import Condition, read_condition
from rlsweep.spaces.keys import condition_key, drawn_key
from rlsweep.spaces.samplers.table import sampler_problem
from rlsweep.spaces.schema import refused_values
from rlsweep.spaces.space import ADAPTIVE, DEFAULT_SAMPLER, MAX_ADAPTIVE, MAX_CONFIGS, SearchSpace, in_order

KEYS = ("base", "sampler", "configs", "seed", "space", "constraints", "description")
_KNOWN = f"; known are {', '.join(KEYS)}"
_MAX_SEED = 2**32 - 1
_MAX_CONSTRAINTS = 100

OF_FLAGS = "--space"
"""The source of a search space that flags alone gave."""


def read_space(source: Path | GivenConfig, *, more: Mapping[str, Any]) -> SearchSpace:
    """Read a search space from its file or a dict. Raises ConfigError with every problem.

    more: what flags say: entries of `space` beside the file's, and `sampler`, `configs` and `seed` above it; `flags`
        names them
    """
    data = source.data if isinstance(source, GivenConfig) else read_config_file(source, kind="Search space")
    return _Reader(str(source)).read({key: each for key, each in data.items() if not key.startswith("x-")}, more)


def space_on_record(data: Mapping[str, Any], base: Mapping[str, Any]) -> SearchSpace:
    """The search space of a sweep on record; base: its base config, whose file may be out of reach here."""
    read = {key: each for key, each in data.items() if key != "source"} | {"base": dict(base)}
    return _Reader(data["source"]).read(read, {})


def space_of_flags(base: Path, more: Mapping[str, Any]) -> SearchSpace:
    """The search space of flags alone, next to a base config. Raises ConfigError with every problem."""
    return _Reader(OF_FLAGS).read({"base": str(base)}, more)


class _Reader:
    """Reads one search space, and collects its problems."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: list[str] = []
        self._flags: dict[str, str] = {}

    def read(self, data: Mapping[str, Any], more: Mapping[str, Any]) -> SearchSpace:
        for key in data.keys() - set(KEYS):
            self._add(f"{key}: unknown key{suggestion(key, KEYS) or _KNOWN}")
        base = self._base(data)
        above = {key: more[key] for key in ("sampler", "configs", "seed") if more.get(key) is not None}
        self._flags = {key: f"{more['flags'][key]} {value}" for key, value in above.items()}
        sampler = self._sampler({**data, **above}.get("sampler", DEFAULT_SAMPLER))
        configs = self._whole({**data, **above}, "configs", 2, MAX_CONFIGS)
        seed = self._whole({**data, **above}, "seed", 0, _MAX_SEED) or 0
        if sampler in ADAPTIVE and (configs or 0) > MAX_ADAPTIVE:
            self._add_of(self._place("configs"), f": must be at most {MAX_ADAPTIVE} with {sampler}, got {configs}")
        dimensions = self._dimensions(data, more.get("space") or {})
        constraints = self._constraints(data.get("constraints"))
        description = data.get("description", "")
        if not isinstance(description, str):
            self._add(f"description: must be text, got {shown(description)}")
        if sampler == "grid":
            self._check_grid(dimensions)
        if self._problems:
            raise ConfigError(*self._problems)
        assert base is not None
        return SearchSpace(
            source=self._source,
            base=base,
            sampler=sampler,
            configs=configs,
            seed=seed,
            dimensions=dimensions,
            constraints=constraints,
            description=description,
            configs_flag=more["flags"]["configs"] if "configs" in above else None,
        )

    def _place(self, key: str) -> str:
        """Where a key stands that a flag may have given."""
        return self._flags.get(key, key)

    def _add(self, problem: str) -> None:
        self._problems.append(f"{self._source}: {problem}")

    def _base(self, data: Mapping[str, Any]) -> Path | GivenConfig | None:
        given = data.get("base")
        if isinstance(given, Mapping):
            return GivenConfig(f"{self._source}: base", dict(given))
        if not isinstance(given, str) or not given:
            found = "is missing" if given is None else f"must be the path of an agent config, got {shown(given)}"
            self._add(f"base: {found}; write base: config/agents/ppo_agent_v1.yaml")
            return None
        beside = Path(self._source).parent / given
        try:
            found_files = expand([str(beside) if not Path(given).expanduser().exists() and beside.exists() else given])
        except ConfigError as exc:
            self._add(f"base: {exc.problems[0]}")
            return None
        if len(found_files) > 1:
            self._add(f"base: must be one agent config, {shown(given)} matches {len(found_files)} files")
        try:
            read_config_file(found_files[0])
        except ConfigError as exc:
            self._add(f"base: {exc.problems[0]}")
        return found_files[0]

    def _sampler(self, name: Any) -> str:
        if problem := sampler_problem(name):
            self._add_of(self._place("sampler"), f": {problem}")
        return str(name)

    def _whole(self, data: Mapping[str, Any], key: str, least: int, most: int) -> int | None:
        value = data.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            self._add_of(self._place(key), f": must be a whole number from {least} to {most}, got {shown(value)}")
            return None
        return value

    def _dimensions(self, data: Mapping[str, Any], of_flags: Mapping[str, Any]) -> tuple[Dimension, ...]:
        given = data.get("space", {} if of_flags else None)
        if not isinstance(given, Mapping) or not (given or of_flags):
            found = "is missing" if given is None else f"must map keys to ranges and choices, got {shown(given)}"
            found = "is empty" if given == {} else found
            self._add(f"space: {found}; write an entry such as learning_rate: {{log: [1.0e-5, 1.0e-2]}}")
            return ()
        by_key: dict[str, str] = {}
        dimensions = []
        for place, name, entry in self._entries(given, of_flags):
            try:
                key = drawn_key(name)
            except ValueError as exc:
                self._add_of(place, f": {exc}")
                continue
            if key in by_key:
                self._add_of(place, f": {key} has a space already, {by_key[key]}; keep one of the two")
                continue
            by_key[key] = place
            dimension, problems = read_entry(key, entry, condition_key)
            problems = [f": {problem}" for problem in problems]
            if dimension is not None:
                problems += refused_values(dimension)
                dimensions.append(dimension)
            for problem in problems:
                self._add_of(place, problem)
        try:
            return in_order(dimensions)
        except ValueError as exc:
            self._add(f"space: {exc}")
            return ()

    def _add_of(self, place: str, problem: str) -> None:
        """A problem behind the place of its entry; a flag is a place of its own."""
        where = place if place.startswith("--") else f"{self._source}: {place}"
        self._problems.append(f"{where}{problem}")

    @staticmethod
    def _entries(given: Mapping[str, Any], of_flags: Mapping[str, Any]) -> Sequence[tuple[str, str, Any]]:
        """Where each entry stands, its key as it was given, and the entry."""
        in_file = [(f"space.{name}", name, entry) for name, entry in given.items()]
        return [*in_file, *((f"--space {name}", name, entry) for name, entry in of_flags.items())]

    def _constraints(self, given: Any) -> tuple[Condition, ...]:
        if given is None:
            return ()
        if not isinstance(given, list) or len(given) > _MAX_CONSTRAINTS:
            self._add(f"constraints: must be a list such as ['batch_size <= n_steps'], got {shown(given)}")
            return ()
        found = []
        for index, text in enumerate(given):
            try:
                found.append(read_condition(text, condition_key))
            except ValueError as exc:
                self._add(f"constraints[{index}]: {exc}")
        return tuple(found)

    def _check_grid(self, dimensions: Sequence[Dimension]) -> None:
        points = 1
        for dimension in dimensions:
            if dimension.count is None:
                offer = ", ".join(f"{value:g}" for value in dimension.spread())
                self._add(
                    f"space.{dimension.key}: a grid needs single values, and {dimension.kind} has none; write "
                    f"{{choice: [{offer}]}}, or take sampler: sobol"
                )
            points *= dimension.count or 1
        if points > MAX_CONFIGS:
            self._add(f"the grid has {points:,} points, at most {MAX_CONFIGS:,} are allowed; take sampler: sobol")
