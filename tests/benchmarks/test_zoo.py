"""Tuned files of rl-zoo, translated by the answer that rlsweep prints, reach the reward that rl-zoo publishes."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from rounds import print_table
from single_runs import trained

from rlsweep.config.run import Mode
from rlsweep.errors import ConfigError
from rlsweep.planning.plan import make_plan
from rlsweep.training.evaluate import EvaluationSummary, evaluate

FILES = Path(__file__).parents[1] / "data" / "rl_zoo"
SEEDS = (0, 1, 2)
EPISODES = 100


@dataclass(frozen=True, slots=True)
class Published:
    """Mean and standard deviation of episodes' rewards in rl-zoo3's benchmark.md: one run, its deterministic policy."""

    mean: float
    deviation: float


PUBLISHED = {
    "ppo_cartpole.yml": Published(500.0, 0.0),
    "ppo_pendulum.yml": Published(-172.225, 104.159),
    "ppo_acrobot.yml": Published(-73.506, 18.201),
}


def pasted(file: str, folder: Path) -> tuple[Path, Path]:
    """Paste what is printed about a file of rl-zoo: the agent config and the training config, in this order."""
    with pytest.raises(ConfigError) as caught:
        make_plan(
            [str(FILES / file)],
            base_config=None,
            mode=Mode.FULL,
            episodes=None,
            total_timesteps=None,
            seeds=1,
            with_base=False,
        )
    for block in caught.value.pasted[:2]:
        name, _, text = block.removeprefix("# ").partition("\n")
        (folder / name).write_text(text)
    found = re.search(r"rlsweep train --agent-config (\S+) --base-config (\S+)$", caught.value.pasted[2])
    assert found is not None
    return folder / found[1], folder / found[2]


def played(file: str, folder: Path, *, seed: int, steps: int | None, episodes: int) -> EvaluationSummary:
    """Train with the pasted configs, for as long as they say or for `steps`, and play the last policy."""
    agent, base = pasted(file, folder)
    checkpoint = trained(agent, base, folder, seed=seed, steps=steps)
    return evaluate(checkpoint, episodes=episodes, seed=seed, is_trusted=lambda: True)


@pytest.mark.parametrize("file", PUBLISHED)
def test_translated_files_reach_the_published_reward(file: str, tmp_path: Path) -> None:
    published = PUBLISHED[file]
    found = {seed: played(file, tmp_path, seed=seed, steps=None, episodes=EPISODES) for seed in SEEDS}
    rows = {f"seed {seed}": f"{each.mean_reward:.1f} ± {each.reward_sd:.1f}" for seed, each in found.items()}
    reach = f"{published.mean:.1f} ± {published.deviation:.1f}"
    print_table(f"{file}: reward of {EPISODES} episodes (rl-zoo publishes {reach})", rows)
    assert min(each.mean_reward for each in found.values()) >= published.mean - published.deviation
