"""The table of faults fits the source: `make mutants` takes too long to be the first to say that it does not."""

from pathlib import Path

from tests.mutants.table import StaleError, check, read_sources, read_table

REPOSITORY = Path(__file__).parents[2]
FAULTS = read_table()


def test_every_fault_fits_the_source_and_its_tests_exist() -> None:
    sources = read_sources(REPOSITORY)
    stale = []
    for fault in FAULTS:
        try:
            check(fault, REPOSITORY, sources)
        except StaleError as error:
            stale.append(str(error))
    assert stale == [], "bring tests/mutants/faults.toml up to date"


def test_faults_lie_in_all_rooms() -> None:
    assert len([fault for fault in FAULTS if fault.survived_at is None]) >= 60
    assert len({fault.room for fault in FAULTS}) >= 16
