"""Whether a file or a dict is a search space. What reads one is imported only then: most plans have none."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rlsweep.config.reading import read_config_file, read_text
from rlsweep.errors import ConfigError

_MARKS = frozenset({"space", "sampler", "constraints"})
_MARK_IN_TEXT = re.compile(r"""["']?(space|sampler|constraints)["']?\s*:""")


def is_space(data: Mapping[str, Any]) -> bool:
    """Whether the root of a file, or a dict, is a search space rather than an agent config."""
    return bool(_MARKS & data.keys()) and "agent_id" not in data and "parameters" not in data


def is_space_file(path: Path) -> bool:
    """Whether a file holds a search space. False for one that cannot be read: reading it as a config says why."""
    try:
        return bool(_MARK_IN_TEXT.search(read_text(path))) and is_space(read_config_file(path))
    except ConfigError:
        return False
