"""A base config in a file."""

from pathlib import Path

import pytest
import yaml
from planned_space import BASE


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "a_v1.yaml"
    path.write_text(yaml.safe_dump(BASE))
    return path
