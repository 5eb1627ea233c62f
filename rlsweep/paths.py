"""Every path below the home and the storage; no other module builds one."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rlsweep.settings import Settings
from rlsweep.storage import Location

SERVICE_LOCK = "lock"
"""The file in the service's folder that the service holds locked while it is up."""


@dataclass(frozen=True, slots=True)
class Paths:
    """The files and folders of one installation; a property does not create its folder."""

    settings: Settings

    @property
    def embedded_database(self) -> Path:
        """Data folder of the embedded PostgreSQL server."""
        return self.settings.home / "postgres"

    @property
    def spool(self) -> Path:
        """Records that trials on this machine write while the database is unreachable."""
        return self.settings.home / "spool"

    @property
    def measurements(self) -> Path:
        """Cached measurements of planning, reused for the same environment and network."""
        return self.settings.home / "measurements.json"

    @property
    def service(self) -> Path:
        """Files of the service of `rlsweep up`: its identity, its log, and one log per sweep."""
        return self.settings.home / "service"

    @property
    def service_lock(self) -> Path:
        """The file that the service holds locked while it is up."""
        return self.service / SERVICE_LOCK

    def sweep_log(self, sweep_id: UUID) -> Path:
        """Log of a sweep's driver that the service started."""
        return self.service / "sweeps" / f"{sweep_id}.log"

    @property
    def tensorboard(self) -> Location:
        """Log folder of all sweeps."""
        return self.settings.storage / "tensorboard"

    def sweep_tensorboard(self, sweep_id: UUID) -> Location:
        """Log folder of all runs of one sweep."""
        return self.tensorboard / str(sweep_id)

    def run_tensorboard(self, sweep_id: UUID | None, config_name: str, seed: int, run_id: UUID) -> Location:
        """Log folder of one run; TensorBoard shows its name."""
        parent = self.tensorboard / "single-runs" if sweep_id is None else self.sweep_tensorboard(sweep_id)
        return parent / f"{config_name}-seed{seed}-{str(run_id)[:8]}"

    def run_checkpoints(self, run_id: UUID) -> Location:
        """Folder of one run's checkpoints, including `best.zip`."""
        return self.settings.storage / "checkpoints" / str(run_id)
