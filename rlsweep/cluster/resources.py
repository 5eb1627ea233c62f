"""The Ray resources of a trial, and how many trials fit on a cluster."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rlsweep.errors import InputError

MOST_AWAITED = 1_000
"""Trials requested at the same time from an autoscaler, if the user sets no limit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """CPUs and GPUs of one trial (may be fractions), and how many trials run at the same time.

    max_concurrent: upper limit; None for as many as fit
    autoscale: the cluster adds nodes for waiting trials, so its current capacity does not count
    """

    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    max_concurrent: int | None = None
    autoscale: bool = False

    @classmethod
    def from_record(cls, record: Mapping[str, Any] | None) -> "Resources":
        """Read back what `to_record` wrote; None gives the defaults."""
        return cls(**record or {})

    def to_record(self) -> dict[str, Any]:
        """Return the values for the sweep's record."""
        return asdict(self)

    @property
    def bundle(self) -> dict[str, float]:
        """The placement group bundle of a trial; it must equal the request (ray#48685)."""
        gpus = {"GPU": self.gpus_per_trial} if self.gpus_per_trial else {}
        return {"CPU": self.cpus_per_trial, **gpus}

    @property
    def threads(self) -> int:
        """Torch threads of a trial; Ray's CPUs do not limit torch."""
        return max(1, math.floor(self.cpus_per_trial))

    def slots(self, nodes: Sequence[Mapping[str, float]]) -> int:
        """Number of trials that run at the same time on nodes with these total resources.

        Raises InputError if a trial fits on no node, because it would wait forever.
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
                f"No node has room for a trial with {asked}; the largest values of any node are {most}. Lower "
                "--cpus-per-trial or --gpus-per-trial; or add --autoscale if the cluster adds nodes for waiting trials."
            )
        return min(fitting, self.max_concurrent or fitting)
