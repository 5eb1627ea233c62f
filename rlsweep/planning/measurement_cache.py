"""A file that keeps measurements for a day, so that the next sweep over the same environment need not measure again."""

import json
import os
import platform
import sys
import sysconfig
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, TypeAdapter

from rlsweep.config.run import RunConfig
from rlsweep.planning.estimate import Measurement
from rlsweep.planning.measurement_key import measurement_key
from rlsweep.version import __version__

MAX_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CachedMeasurement:
    """A measurement, and when it was made."""

    at: AwareDatetime
    measurement: Measurement


_FILE = TypeAdapter(dict[str, CachedMeasurement])


def read_cache(file: Path, configs: Sequence[RunConfig]) -> list[CachedMeasurement] | None:
    """Give the cached measurement of each config, made on this machine with the packages installed now.

    Returns None where one is missing or older than MAX_AGE.
    """
    cached = _valid_entries(file, datetime.now(UTC))
    found = [cached[key] for key in _keys(configs) if key in cached]
    return found if len(found) == len(configs) else None


def write_cache(file: Path, configs: Sequence[RunConfig], measurements: Sequence[Measurement]) -> None:
    """Add measurements that were just made, and drop old ones. Raises OSError where the file cannot be written."""
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
    """Entries up to MAX_AGE old; none where there is no file, or a damaged one: then everything is measured again."""
    try:
        entries = _FILE.validate_json(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {key: each for key, each in entries.items() if timedelta() <= now - each.at <= MAX_AGE}


def _keys(configs: Sequence[RunConfig]) -> list[str | None]:
    """A key for each config; another machine, version or package changes it. None for what must not be cached."""
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    changed = [os.stat(folder).st_mtime_ns for folder in folders]
    installation = json.dumps([platform.node(), os.cpu_count(), __version__, sys.prefix, changed])
    return [key and f"{installation} {key}" for key in map(measurement_key, configs)]
