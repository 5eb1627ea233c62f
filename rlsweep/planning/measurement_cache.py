"""Measurements that were made here before, so that the next sweep over the same game need not wait for another."""

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

MOST_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kept:
    """A measurement, and when it was made."""

    at: AwareDatetime
    measurement: Measurement


_FILE = TypeAdapter(dict[str, Kept])


def recall(file: Path, configs: Sequence[RunConfig]) -> list[Kept] | None:
    """What `remember` left in the file, for each config, on this machine, with the packages that are installed now.

    None where a single one is missing, or older than MOST_AGE.
    """
    kept = _still_good(file, datetime.now(UTC))
    recalled = [kept[key] for key in _keys(configs) if key in kept]
    return recalled if len(recalled) == len(configs) else None


def remember(file: Path, configs: Sequence[RunConfig], measurements: Sequence[Measurement]) -> None:
    """Keep measurements that were just made, beside those that are still good. Raises OSError where that cannot be."""
    now = datetime.now(UTC)
    kept = _still_good(file, now)
    kept |= {key: Kept(now, each) for key, each in zip(_keys(configs), measurements, strict=True) if key is not None}
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_bytes(_FILE.dump_json(kept))
        aside.replace(file)  # whole, or not at all: two commands may write at a time
    finally:
        aside.unlink(missing_ok=True)


def _still_good(file: Path, now: datetime) -> dict[str, Kept]:
    """What is kept; nothing where there is no file, or one that was damaged: it is only measured anew then."""
    try:
        kept = _FILE.validate_json(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return {key: each for key, each in kept.items() if timedelta() <= now - each.at <= MOST_AGE}


def _keys(configs: Sequence[RunConfig]) -> list[str | None]:
    """One for each config, which another machine, another rlsweep or other packages change; None: is not kept."""
    folders = sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})
    changed = [os.stat(folder).st_mtime_ns for folder in folders]
    installation = json.dumps([platform.node(), os.cpu_count(), __version__, sys.prefix, changed])
    return [key and f"{installation} {key}" for key in map(measurement_key, configs)]
