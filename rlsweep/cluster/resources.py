"""What each trial asks of Ray, and how many trials a cluster holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rlsweep.errors import InputError

MOST_AWAITED = 1_000
"""Trials at a time that an autoscaler is asked for where nobody says how many."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """CPUs and GPUs of one trial, fractions allowed, and how many trials run at a time.

    max_concurrent: None lets as many run as fit
    autoscale: the cluster adds nodes for trials that wait, so what its nodes hold now does not count
    """

    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    max_concurrent: int | None = None
    autoscale: bool = False

    @classmethod
    def from_record(cls, record: Mapping[str, Any] | None) -> "Resources":
        """As `to_record` wrote them; the defaults where a sweep has none on record."""
        return cls(**record or {})

    def to_record(self) -> dict[str, Any]:
        """As a sweep's record holds them."""
        return asdict(self)

    @property
    def bundle(self) -> dict[str, float]:
        """One placement group bundle, equal to the request (ray#48685)."""
        gpus = {"GPU": self.gpus_per_trial} if self.gpus_per_trial else {}
        return {"CPU": self.cpus_per_trial, **gpus}

    @property
    def threads(self) -> int:
        """Torch threads of a trial: a Ray CPU does not limit torch by itself."""
        return max(1, math.floor(self.cpus_per_trial))

    def slots(self, nodes: Sequence[Mapping[str, float]]) -> int:
        """How many trials run at a time on nodes that have so much of each resource in all.

        Raises InputError where no node can hold a trial: it would wait for ever.
        """
        if self.autoscale:
            return self.max_concurrent or MOST_AWAITED
        fitting = sum(
            min(math.floor(node.get(kind, 0) / need + 1e-9) for kind, need in self.bundle.items()) for node in nodes
        )
        if fitting == 0:
            most = ", ".join(
                f"{kind} {max((node.get(kind, 0) for node in nodes), default=0):g}" for kind in self.bundle
            )
            asked = ", ".join(f"{kind} {need:g}" for kind, need in self.bundle.items())
            raise InputError(
                f"No node can hold a trial that asks for {asked}: the most that one has is {most}. Lower "
                "--cpus-per-trial or --gpus-per-trial; or add --autoscale if the cluster adds nodes when trials wait."
            )
        return min(fitting, self.max_concurrent or fitting)
