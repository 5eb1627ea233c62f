from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

WriteAgent = Callable[..., Path]


@pytest.fixture
def write_agent(tmp_path: Path) -> WriteAgent:
    """Write an agent config under its conventional name, the required keys filled in; return its path."""

    def write(file_name: str | None = None, **keys: Any) -> Path:
        data = {"agent_id": "a", "name": "A", "algorithm": "MaskablePPO", "version": 1} | keys
        data = {key: value for key, value in data.items() if value is not ...}
        variant = data.get("sweep_variant")
        conventional = f"a_sweep_{variant}.yaml" if variant else f"a_v{data.get('version')}.yaml"
        path = tmp_path / (file_name or conventional)
        path.write_text(yaml.safe_dump(data))
        return path

    return write


@pytest.fixture
def write_base(tmp_path: Path) -> WriteAgent:
    """Write a training config; return its path."""

    def write(**keys: Any) -> Path:
        folder = tmp_path / "training"
        folder.mkdir(exist_ok=True)
        path = folder / "base.yaml"
        path.write_text(yaml.safe_dump(keys))
        return path

    return write
