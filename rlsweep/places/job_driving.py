"""Driving a sweep inside a job: what a cluster's head runs for a sweep that was sent there."""

from contextlib import chdir
from pathlib import Path

from rlsweep.attempts.provenance import provenance_elsewhere
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.driver.selection import RunSelection
from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import SweepOutcome
from rlsweep.places.running import make_driver, run_driver
from rlsweep.settings import Settings
from rlsweep.store import sweeps
from rlsweep.store.opening import open_database


def drive_on_this_cluster(
    reference: str,
    selection: RunSelection,
    settings: Settings,
    observer: SweepObserver,
    *,
    grace: float,
    command: str,
    folder: Path,
) -> SweepOutcome:
    """Drive a sweep that was sent to the cluster which this process is a job of.

    folder: where the user typed the command; it may not exist here
    Its place and its resources are on record already. Raises InputError where it has to be refused.
    """
    with (
        chdir("/"),  # the job's own folder is Ray's, which may unpack it anew while somebody stands in it
        open_database(settings) as database,
        RaySession(RayOptions(address="auto")) as session,
    ):
        sweep = sweeps.get(database, reference)
        resources = Resources.from_record(sweep.resources)
        session.ready()
        session.check_nodes(database.url, settings)
        driver = make_driver(
            database,
            sweep,
            selection,
            resources=resources,
            slots=session.slots(resources),
            settings=settings,
            metadata=provenance_elsewhere(sweep, command).as_metadata(),
            grace=grace,
            folder=folder,
        )
        outcome = run_driver(driver, database, observer)
        observer.ended(outcome)
        return outcome
