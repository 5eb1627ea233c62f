"""PPO's objective: its settings and its diagnostics."""

import math
from dataclasses import dataclass
from enum import IntEnum


class Figure(IntEnum):
    """Diagnostics of a minibatch, by index."""

    POLICY_LOSS = 0
    VALUE_LOSS = 1
    ENTROPY_LOSS = 2
    CLIP_FRACTION = 3
    APPROX_KL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """policy loss + ent_coef × entropy loss + vf_coef × value loss, with the settings of one update.

    clip_range_vf: infinite if values are not clipped
    normalize_from: fewest samples of a minibatch whose advantages are normalised; 0 if none are
    """

    clip_range: float
    clip_range_vf: float = math.inf
    normalize_from: int
    ent_coef: float
    vf_coef: float
    max_grad_norm: float

    @property
    def settings(self) -> tuple[float, ...]:
        """The settings in the form of `loss.ppo_loss`."""
        return self.clip_range, self.clip_range_vf, float(self.normalize_from), self.ent_coef, self.vf_coef
