"""`--space KEY=RANGE`: an entry of a search space in one word, such as `ppo.ent_coef=log:1e-4..1e-1`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rlsweep.config.limits import MAX_KEY
from rlsweep.config.reading import is_plain_line, parse_value
from rlsweep.errors import ConfigError

SAMPLER, CONFIGS, SEED, POPULATION = "--sampler", "--configs", "--space-seed", "--population"

_FORM = "write KEY=KIND:LOW..HIGH or KEY=choice:A,B, such as ppo.ent_coef=log:1e-4..1e-1"


@dataclass(frozen=True, kw_only=True, slots=True)
class SpaceFlags:
    """What flags say of the search space; None where one was not given.

    entries: KEY=RANGE each, beside those of a file
    population: configs, by the name that a population has for them
    """

    entries: tuple[str, ...] = ()
    sampler: str | None = None
    configs: int | None = None
    seed: int | None = None
    population: int | None = None

    @property
    def given(self) -> dict[str, Any]:
        """The flags that were given, with their values."""
        flags = {"--space": self.entries, SAMPLER: self.sampler, CONFIGS: self.configs}
        flags |= {SEED: self.seed, POPULATION: self.population}
        return {flag: value for flag, value in flags.items() if value not in ((), None)}

    def as_data(self) -> dict[str, Any]:
        """As a space's file has them, and in `flags` the flag of each key. Raises ConfigError with every problem."""
        entries = read_flags(self.entries)
        if self.population is not None and self.configs not in (None, self.population):
            raise ConfigError(
                f"--configs {self.configs}: --population {self.population} says how many configs are drawn; keep one"
            )
        configs, of_configs = (self.configs, CONFIGS) if self.population is None else (self.population, POPULATION)
        flags = {"sampler": SAMPLER, "configs": of_configs, "seed": SEED}
        return {"space": entries, "sampler": self.sampler, "configs": configs, "seed": self.seed, "flags": flags}


NO_FLAGS = SpaceFlags()


def read_flags(texts: Sequence[str]) -> dict[str, Any]:
    """The entries as a file has them, by key as it was given. Raises ConfigError with the problem of each text."""
    problems: list[str] = []
    entries: dict[str, Any] = {}
    for text in texts:
        try:
            key, entry = _entry(text)
        except ValueError as exc:
            problems.append(f"--space {text}: {exc}")
            continue
        if key in entries:
            problems.append(f"--space {text}: {key} has a space already; keep one of the two")
        entries[key] = entry
    if problems:
        raise ConfigError(*problems)
    return entries


def _entry(text: str) -> tuple[str, Any]:
    key, equals, given = text.partition("=")
    key, given = key.strip(), given.strip()
    if not (key and equals and given):
        raise ValueError(_FORM)
    if len(key) > MAX_KEY or not is_plain_line(key):
        raise ValueError(f"a key is one line of at most {MAX_KEY} printable characters")
    if given.startswith("{"):
        return key, parse_value(given)
    kind, colon, values = given.partition(":")
    if not colon:
        raise ValueError(_FORM)
    if kind.strip() == "choice":
        return key, {"choice": parse_value(f"[{values}]")}
    low, dots, high = values.partition("..")
    if not dots:
        raise ValueError(_FORM)
    return key, {kind.strip(): [parse_value(low), parse_value(high)]}
