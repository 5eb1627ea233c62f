"""What each trial asks of Ray."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Resources:
    """CPUs and GPUs of one trial, fractions allowed; `max_concurrent` None lets as many run as fit."""

    cpus_per_trial: float = 1.0
    gpus_per_trial: float = 0.0
    max_concurrent: int | None = None

    @property
    def bundle(self) -> dict[str, float]:
        """One placement group bundle, equal to the request (ray#48685)."""
        gpus = {"GPU": self.gpus_per_trial} if self.gpus_per_trial else {}
        return {"CPU": self.cpus_per_trial, **gpus}

    @property
    def threads(self) -> int:
        """Torch threads of a trial: a Ray CPU does not limit torch by itself."""
        return max(1, math.floor(self.cpus_per_trial))
