import time

import pytest

from rlsweep.config.run import Budget
from rlsweep.training.progress import Progress


@pytest.mark.parametrize(
    ("budget", "remaining", "spent"),
    [
        (Budget(episodes=100), 0.75, False),
        (Budget(total_timesteps=1000), 0.5, False),
        (Budget(episodes=100, total_timesteps=1000), 0.5, False),
        (Budget(episodes=30, total_timesteps=10_000), 1 / 6, False),
        (Budget(episodes=25), 0.0, True),
        (Budget(total_timesteps=400), 0.0, True),
        (Budget(episodes=26, total_timesteps=500), 0.0, True),
    ],
)
def test_the_part_of_the_budget_that_ends_the_run_first_counts(budget, remaining, spent):
    progress = Progress(episodes=25, env_steps=500)
    assert progress.remaining(budget) == pytest.approx(remaining)
    assert progress.is_spent(budget) is spent


def test_time_between_attempts_does_not_count():
    progress = Progress(episodes=3, env_steps=40, updates=2, earlier_seconds=100.0, best_mean_reward=1.5)
    record = progress.to_record()
    assert 100.0 < record["seconds"] < 101.0
    time.sleep(0.05)
    resumed = Progress.from_record(record)
    assert resumed.to_record() == pytest.approx(record, abs=0.04)
