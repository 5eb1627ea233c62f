"""PPO's objective: its settings, and what is logged of it."""

import math
from dataclasses import dataclass
from enum import IntEnum


class Figure(IntEnum):
    """What is logged of a minibatch, by its place."""

    POLICY_LOSS = 0
    VALUE_LOSS = 1
    ENTROPY_LOSS = 2
    CLIP_FRACTION = 3
    APPROX_KL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """policy loss + ent_coef × entropy loss + vf_coef × value loss, as it stands for one update.

    clip_range_vf: infinite where values are not clipped
    """

    clip_range: float
    clip_range_vf: float = math.inf
    normalize_advantage: bool
    ent_coef: float
    vf_coef: float
    max_grad_norm: float

    @property
    def settings(self) -> tuple[float, ...]:
        """As `gradients.differentiate` takes them."""
        return self.clip_range, self.clip_range_vf, float(self.normalize_advantage), self.ent_coef, self.vf_coef
