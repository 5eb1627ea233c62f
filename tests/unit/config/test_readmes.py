import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from rlsweep.config.agent import AgentConfig
from rlsweep.config.keys import leaf_keys, sections
from rlsweep.config.training import TrainingConfig
from rlsweep.spaces.reading import KEYS

CONFIG = Path(__file__).parents[3] / "config"


def documented(readme: Path) -> list[str]:
    """Keys in the first column of the table under "The keys"."""
    keys = readme.read_text().split("## The keys")[1].split("\n## ")[0]
    return re.findall(r"^\| `([^`]+)` \|", keys, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("readme", "keys"),
    [
        (CONFIG / "agents" / "README.md", leaf_keys(AgentConfig)),
        (CONFIG / "training" / "README.md", ("environment", *leaf_keys(TrainingConfig))),
        (CONFIG / "sweeps" / "README.md", KEYS),
    ],
    ids=["agents", "training", "sweeps"],
)
def test_every_key_is_explained(readme: Path, keys: Iterable[str]) -> None:
    assert sorted(documented(readme)) == sorted(keys)


@pytest.mark.parametrize("folder", ["agents", "training", "sweeps"])
def test_every_shipped_file_is_listed(folder: str) -> None:
    listed = re.findall(r"^\| `([a-z_0-9]+\.yaml)` \|", (CONFIG / folder / "README.md").read_text(), flags=re.MULTILINE)
    assert sorted(listed) == sorted(path.name for path in (CONFIG / folder).glob("*.yaml"))


def test_sections_are_found() -> None:
    assert set(sections(TrainingConfig)) == {"environment", "evaluation", "rllib"}
    assert set(sections(AgentConfig)) == {"optimizer", "network", "ppo"}
