"""A file that caches measurements for a day, for the next sweep with the same environment."""

import json
import os
import platform
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from rlsweep.config.run import RunConfig
from rlsweep.planning import own_files
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.measurement_key import measurement_key
from rlsweep.version import __version__

MAX_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CachedMeasurement:
    """A measurement and its time."""

    at: AwareDatetime
    measurement: Measurement


_FILE = TypeAdapter(dict[str, CachedMeasurement])


def read_cache(file: Path, configs: Sequence[RunConfig]) -> list[CachedMeasurement] | None:
    """Return the cached measurement of each config, made on this machine with the current packages.

    Returns None if one is missing or older than MAX_AGE.
    """
    cached = _valid_entries(file, datetime.now(UTC))
    found = [cached[key] for key in _keys(configs) if key in cached]
    return found if len(found) == len(configs) else None


def write_cache(file: Path, configs: Sequence[RunConfig], measurements: Sequence[Measurement]) -> None:
    """Add new measurements and remove old ones. Raises OSError if the file cannot be written."""
    now = datetime.now(UTC)
    entries = _valid_entries(file, now)
    entries |= {
        key: CachedMeasurement(now, each)
        for key, each in zip(_keys(configs), measurements, strict=True)
        if key is not None
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_bytes(_FILE.dump_json(entries))
        aside.replace(file)  # two commands may write at the same time: the file is always complete
    finally:
        aside.unlink(missing_ok=True)


def _valid_entries(file: Path, now: datetime) -> dict[str, CachedMeasurement]:
    """The entries not older than MAX_AGE; none if the file is missing or damaged, so that all is measured again."""
    try:
        entries = _FILE.validate_json(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {key: each for key, each in entries.items() if timedelta() <= now - each.at <= MAX_AGE}


def _keys(configs: Sequence[RunConfig]) -> list[str | None]:
    """A key per config, which differs for another machine, version or package; None for configs not to be cached."""
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    changed = [os.stat(folder).st_mtime_ns for folder in folders]
    installation = json.dumps([platform.node(), os.cpu_count(), __version__, sys.prefix, changed])
    stamp = cache(own_files.stamp)  # of the same classes in all configs
    return [key and f"{installation} {key}" for key in (measurement_key(config, stamp) for config in configs)]
