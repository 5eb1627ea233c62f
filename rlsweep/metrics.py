"""The catalogue of metrics that are recorded or shown: one entry per metric.

`tag` is the TensorBoard tag; SB3's own tags are kept, because its users know them.
"""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    NEITHER = "neither"


@dataclass(frozen=True, kw_only=True, slots=True)
class Metric:
    """name: column or key; label: text shown to the user; unit: empty for pure numbers."""

    name: str
    label: str
    tag: str
    direction: Direction
    unit: str = ""


METRICS: tuple[Metric, ...] = (
    Metric(name="reward", label="Episode reward", tag="episode/reward", direction=Direction.UP),
    Metric(name="length", label="Episode length", tag="episode/length", direction=Direction.NEITHER, unit="steps"),
    Metric(name="mean_reward", label="Mean reward", tag="rollout/ep_rew_mean", direction=Direction.UP),
    Metric(name="win_rate", label="Win rate", tag="rollout/win_rate", direction=Direction.UP),
    Metric(
        name="mean_length", label="Mean length", tag="rollout/ep_len_mean", direction=Direction.NEITHER, unit="steps"
    ),
    Metric(name="policy_loss", label="Policy loss", tag="train/policy_gradient_loss", direction=Direction.NEITHER),
    Metric(name="value_loss", label="Value loss", tag="train/value_loss", direction=Direction.DOWN),
    Metric(name="entropy", label="Entropy", tag="train/entropy", direction=Direction.NEITHER, unit="nats"),
    Metric(name="approx_kl", label="Approximate KL", tag="train/approx_kl", direction=Direction.NEITHER, unit="nats"),
    Metric(name="clip_fraction", label="Clip fraction", tag="train/clip_fraction", direction=Direction.NEITHER),
    Metric(
        name="explained_variance",
        label="Explained variance",
        tag="train/explained_variance",
        direction=Direction.UP,
    ),
    Metric(name="gradient_steps", label="Gradient steps", tag="train/gradient_steps", direction=Direction.NEITHER),
    Metric(name="learning_rate", label="Learning rate", tag="train/learning_rate", direction=Direction.NEITHER),
    Metric(name="steps_per_second", label="Speed", tag="time/fps", direction=Direction.UP, unit="env steps/s"),
    Metric(name="eval_mean_reward", label="Evaluation reward", tag="eval/mean_reward", direction=Direction.UP),
    Metric(name="eval_win_rate", label="Evaluation win rate", tag="eval/win_rate", direction=Direction.UP),
    Metric(name="score_mean_reward", label="Score: evaluation reward", tag="score/mean_reward", direction=Direction.UP),
    Metric(name="score_win_rate", label="Score: evaluation win rate", tag="score/win_rate", direction=Direction.UP),
)

BY_NAME: dict[str, Metric] = {metric.name: metric for metric in METRICS}
