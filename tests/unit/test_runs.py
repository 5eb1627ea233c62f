import pytest

from rlsweep.runs import Episode, Outcome, recent_means


def episode(number: int, outcome: Outcome | None) -> Episode:
    return Episode(
        episode=number, env_steps=10 * number, reward=2.0 * number, length=number, outcome=outcome, seconds=0.1
    )


def test_means_of_recent_episodes() -> None:
    outcomes = [Outcome.WIN, Outcome.DRAW, Outcome.LOSS, Outcome.WIN, None]
    means = recent_means([episode(number, outcome) for number, outcome in enumerate(outcomes, start=1)])
    assert (means.mean_reward, means.mean_length) == (6.0, 3.0)
    assert means.win_rate == pytest.approx(2 / 4), "of the episodes that have an outcome"
    assert recent_means([episode(1, None)]).win_rate is None
