"""Where every artifact lies: one object owns all paths below the home and the storage folder."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from rlsweep.settings import Settings
from rlsweep.storage import Location


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one installation; none is made by asking for its path."""

    settings: Settings

    @property
    def embedded_database(self) -> Path:
        """Data folder of the embedded PostgreSQL server."""
        return self.settings.home / "postgres"

    @property
    def spool(self) -> Path:
        """What trials on this machine keep while the database is away."""
        return self.settings.home / "spool"

    @property
    def measurements(self) -> Path:
        """What the plans of sweeps measured, for the next of the same environment and network."""
        return self.settings.home / "measurements.json"

    @property
    def service(self) -> Path:
        """What the service of `rlsweep up` keeps: who it is, its log, and one log a sweep."""
        return self.settings.home / "service"

    def sweep_log(self, sweep_id: UUID) -> Path:
        """What the service's driver of a sweep had to say."""
        return self.service / "sweeps" / f"{sweep_id}.log"

    @property
    def tensorboard(self) -> Location:
        """Log folder over all sweeps."""
        return self.settings.storage / "tensorboard"

    def sweep_tensorboard(self, sweep_id: UUID) -> Location:
        """Log folder over all runs of one sweep."""
        return self.tensorboard / str(sweep_id)

    def run_tensorboard(self, sweep_id: UUID | None, config_name: str, seed: int, run_id: UUID) -> Location:
        """Log folder of one run; its name is what TensorBoard shows."""
        parent = self.tensorboard / "single-runs" if sweep_id is None else self.sweep_tensorboard(sweep_id)
        return parent / f"{config_name}-seed{seed}-{str(run_id)[:8]}"

    def run_checkpoints(self, run_id: UUID) -> Location:
        """Folder of one run's checkpoints, `best.zip` among them."""
        return self.settings.storage / "checkpoints" / str(run_id)
