"""How far a sweep has come."""

from dataclasses import dataclass

from rlsweep.api.opening import database_of
from rlsweep.places.observer import ProgressObserver
from rlsweep.settings import Settings
from rlsweep.sweep_records import Overview, Sweep

MOST_SHOWN = 200
"""Trials of an overview, those that run before others; of more it tells how many there are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SweepStanding:
    """A sweep and its trials.

    lost_driver: its driver, where that gives no sign of life any more
    abandoned: trials that were on record as running and had lost their process; they are stopped now
    """

    sweep: Sweep
    overview: Overview
    lost_driver: str | None
    abandoned: int


def status(
    reference: str, *, settings: Settings, observer: ProgressObserver, follow: bool = False, shown: int = MOST_SHOWN
) -> SweepStanding:
    """Say how far a sweep has come.

    follow: show its progress first until it is finished, or its driver is lost
    shown: trials of the overview at most
    Raises NotFoundError; while following, RlsweepError where nobody drives the sweep.
    """
    from rlsweep.api.references import find_sweep
    from rlsweep.api.settling import settle_abandoned
    from rlsweep.places.driver_checks import driver_check
    from rlsweep.places.following import follow as follow_sweep
    from rlsweep.store import sweeps
    from rlsweep.store.overview import overview

    database = database_of(settings)
    found, abandoned = settle_abandoned(database, find_sweep(database, reference))
    if follow and not found.status.is_finished:
        followed = follow_sweep(database, found, observer, driver_check(found, settings, observer))
        found, lost_meanwhile = settle_abandoned(database, followed.sweep)
        abandoned += lost_meanwhile
    lost_driver = None if found.status.is_finished else sweeps.lost_driver(database, found.id)
    seen = overview(database, found.id, limit=shown)
    return SweepStanding(sweep=found, overview=seen, lost_driver=lost_driver, abandoned=abandoned)
