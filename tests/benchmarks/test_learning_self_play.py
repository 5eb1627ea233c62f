"""Self-play learns tic_tac_toe: it hardly ever loses to random play, and rarely to tree search."""

from pathlib import Path

from rounds import print_table
from single_runs import trained

from rlsweep.training.evaluate import EvaluationSummary, evaluate

CONFIG = Path(__file__).parents[2] / "config" / "training" / "tic_tac_toe_self_play.yaml"
AGENT = {"agent_id": "bench", "name": "Bench", "algorithm": "MaskablePPO", "version": 1}
STEPS = 60_000
SEEDS = (0, 1, 2)
EPISODES = 200


def games(folder: Path, *, steps: int, seed: int, episodes: int) -> dict[str, EvaluationSummary]:
    """Train against itself, and then play games from both seats against two opponents that it never met."""
    checkpoint = trained(AGENT, CONFIG, folder, seed=seed, steps=steps)
    return {
        opponent: evaluate(checkpoint, episodes=episodes, seed=seed, opponent=opponent)
        for opponent in ("random", "mcts:100")
    }


def test_self_play_learns_tic_tac_toe(tmp_path: Path) -> None:
    rows = {}
    for seed in SEEDS:
        for opponent, played in games(tmp_path, steps=STEPS, seed=seed, episodes=EPISODES).items():
            rows[f"seed {seed}, against {opponent}"] = f"{played.wins} won, {played.draws} drawn, {played.losses} lost"
            if opponent == "random":
                assert (played.losses or 0) <= 0.05 * EPISODES
            else:
                assert (played.draws or 0) >= 0.5 * EPISODES
    print_table(f"{STEPS:,} env steps of tic_tac_toe against itself, then {EPISODES} games", rows)
