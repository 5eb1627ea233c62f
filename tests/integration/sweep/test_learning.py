"""The trained agents are real: what a user's own long run would reach, and a checkpoint that stock SB3 plays."""

from pathlib import Path
from typing import Any

import pytest
from sb3_contrib import MaskablePPO

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]

BASE_AGENT = Path(__file__).parents[3] / "config" / "agents" / "ppo_agent_v1.yaml"


def test_connect_four_is_learnt_and_stock_sb3_plays_the_checkpoint(rlsweep: Any, ray_head: dict[str, str]) -> None:
    flags = ("--mode", "full", "--total-timesteps", "60000", "--seeds", "1")
    rlsweep.drive("submit", str(BASE_AGENT), *flags, timeout=600, **ray_head)
    runs = rlsweep.json("status")["runs"]
    assert [run["status"] for run in runs] == ["completed"]

    last_500 = """
        select avg((outcome = 'win')::int) from (
            select *, row_number() over (partition by run_id order by episode desc) as back from episodes
        ) as counted
        where back <= 500 group by run_id
    """
    win_rates = [float(rate) for (rate,) in rlsweep.rows(last_500)]
    print(f"win rates of the last 500 episodes: {win_rates}")
    assert len(win_rates) == 1
    assert min(win_rates) > 0.74

    shown = rlsweep.json("show", runs[0]["id"])
    # an older one stays until a newer one is on record, which happens about once a second
    assert 4 <= len(shown["checkpoints"]) <= 5, "the last three and the best, and one that waited"
    assert len(shown["evaluations"]) == 3
    last = max(shown["checkpoints"], key=lambda checkpoint: checkpoint["env_steps"])
    # A player at random wins about 45 of 100; the exploring policy above won 68 at the least.
    assert wins_of(MaskablePPO.load(last["uri"], device="cpu"), games=100) >= 70


def wins_of(model: MaskablePPO, *, games: int) -> int:
    env = make_env(EnvironmentSpec(), seed=12345)
    masks, wins = env.get_wrapper_attr("action_masks"), 0
    for _ in range(games):
        observation, info = env.reset()
        done = False
        while not done:
            action, _ = model.predict(observation, action_masks=masks(), deterministic=True)
            observation, _, terminated, truncated, info = env.step(int(action))
            done = terminated or truncated
        wins += info["outcome"] == "win"
    return wins
