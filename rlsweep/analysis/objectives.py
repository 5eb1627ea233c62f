"""What a sweep is to make better."""

from enum import StrEnum

from rlsweep.metrics import Direction


class Objective(StrEnum):
    """What a sweep is to make better; the value is its name in flags and JSON."""

    EVALUATION_REWARD = "evaluation_reward"
    TRAINING_REWARD = "training_reward"
    WIN_RATE = "win_rate"
    EPISODE_LENGTH = "episode_length"

    @property
    def direction(self) -> Direction:
        """Which way is better."""
        return Direction.DOWN if self is Objective.EPISODE_LENGTH else Direction.UP

    @property
    def unit(self) -> str:
        """The word for what a score counts."""
        if self is Objective.EPISODE_LENGTH:
            return "env steps"
        return "wins per game" if self is Objective.WIN_RATE else "reward"

    @property
    def words(self) -> str:
        """Its name for people."""
        return self.value.replace("_", " ")

    def signed(self, value: float) -> float:
        """The value so that higher is better, for deciding; of such a value, the one that people read."""
        return -value if self.direction is Direction.DOWN else value
