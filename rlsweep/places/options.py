"""How a sweep is to be driven: what its trials ask of Ray, and where the driver runs."""

from dataclasses import dataclass, replace
from typing import Any

from rlsweep.cluster.resources import Resources
from rlsweep.sweep_records import Sweep

DEFAULT_GRACE = 120.0


@dataclass(frozen=True, kw_only=True, slots=True)
class DrivingOptions:
    """What `submit`, `resume` and `retry` are told alike.

    cpus_per_trial, gpus_per_trial, max_concurrent: None takes what the sweep asked for before, else the defaults of
        `Resources`
    autoscale: as `Resources` has it
    address: of a Ray cluster, as `cluster.address` reads it; None takes RAY_ADDRESS, else the service if one is up,
        else a Ray of this process
    detach: hand the sweep over to the service or the cluster, and do not follow it
    dashboard: start Ray's dashboard with a Ray of this process
    grace: seconds a trial may take to end once it was asked to stop
    """

    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    max_concurrent: int | None = None
    autoscale: bool = False
    address: str | None = None
    detach: bool = False
    dashboard: bool = False
    grace: float = DEFAULT_GRACE

    def resources(self, before: Sweep | None = None) -> Resources:
        """What each trial asks of Ray: what is given here, else what the sweep asked for before, else the defaults."""
        recorded = Resources.from_record(before.resources if before else None)
        given: dict[str, Any] = {
            "cpus_per_trial": self.cpus_per_trial,
            "gpus_per_trial": self.gpus_per_trial,
            "max_concurrent": self.max_concurrent,
            "autoscale": self.autoscale or None,
        }
        return replace(recorded, **{name: value for name, value in given.items() if value is not None})
