"""`rlsweep retry` and `resume` of races decide again with what is trained. Real commands and drivers, without Ray."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest
from in_process import Done, call

from rlsweep.cluster.resources import Resources
from rlsweep.deciding.race import decide
from rlsweep.driver.decided_runs import DecidedRuns
from rlsweep.driver.driver import Driver, Watcher
from rlsweep.driver.race import RaceRule
from rlsweep.driver.run_source import RunSource
from rlsweep.jsonable import jsonable
from rlsweep.places.observer import SweepObserver
from rlsweep.places.outcome import SweepOutcome
from rlsweep.places.place import OpenPlace, Place, SweepRunner, Task
from rlsweep.places.running import make_driver, run_driver
from rlsweep.process_identity import own_process
from rlsweep.race_records import DecisionRecord, Race
from rlsweep.reports.race_answer import RaceAnswer, race_answer
from rlsweep.reports.race_record import RaceReader, inputs_of
from rlsweep.runs import RunStatus
from rlsweep.settings import Settings
from rlsweep.store import races, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from tests.helpers.raced import DRIVER, Score, create_race, drawn, run_race, statuses, train_all

pytestmark = pytest.mark.integration

TRUTH = (0.2, 0.5, 0.8, 0.3, 0.6)
BEST = 2
SCORE = drawn(TRUTH, noise=0.02, seed=1)


def without_the_best(config: int, seed: int, in_full: bool) -> float | None:
    """The best config's runs fail beyond the rung."""
    return None if config == BEST and in_full else SCORE(config, seed, in_full)


class Killed(BaseException):
    """What ends a driver where it is."""


class Trainer(Place, OpenPlace, SweepRunner):
    """A place where the runs that a driver begins have drawn scores. most_runs: the driver is killed after so many."""

    def __init__(self, settings: Settings, score: Score, most_runs: int | None) -> None:
        self._settings, self._score, self._most_runs = settings, score, most_runs

    @contextmanager
    def open(self, resources: Resources, trials: int) -> Iterator[OpenPlace]:
        yield self

    def _ready(self, database: Database, observer: SweepObserver) -> SweepRunner:
        SweepRunner.__init__(self, database, observer)
        return self

    def _run(self, task: Task) -> SweepOutcome:
        driver = make_driver(
            self._database,
            task.sweep,
            task.selection,
            resources=task.resources,
            slots=1,
            settings=self._settings,
            metadata={},
            grace=60,
            folder=Path.cwd(),
        )
        return run_driver(driver, self._database, self._observer)

    def train(self, driver: Driver, source: RunSource, watch: Watcher) -> None:
        train_all(self._database, source, self._score, slots=1, most_runs=self._most_runs)
        if self._most_runs is not None:
            raise Killed


Command = Callable[..., Done]


@pytest.fixture
def command(database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Types `rlsweep VERB SWEEP`, whose runs get the given scores."""

    def typed(*arguments: str, score: Score, most_runs: int | None = None) -> Done:
        place = Trainer(settings, score, most_runs)
        environ = {"RLSWEEP_DATABASE_URL": database.url, "RLSWEEP_HOME": str(tmp_path / "home"), "COLUMNS": "100"}
        with monkeypatch.context() as patched:
            patched.setattr("rlsweep.places.find.find_place", lambda *_: place)
            patched.setattr("rlsweep.driver.driver.StopFlag", Mock())  # it lies in Ray
            patched.setattr(Driver, "_run_trials", lambda *given: place.train(*given))
            return call(arguments, environ, tmp_path, io.StringIO)

    return typed


def run_and_release(database: Database, race: Race, score: Score, **how: int) -> None:
    run_race(database, race, score, slots=1, **how)
    sweeps.settle(database, race.sweep_id)
    sweeps.release(database, race.sweep_id, DRIVER)


def answer_of(database: Database, race: Race) -> RaceAnswer:
    answer = race_answer(database, sweeps.get(database, race.sweep_id))
    assert answer is not None
    return answer


def check_replay(made: list[DecisionRecord]) -> None:
    assert [each.number for each in made] == list(range(1, len(made) + 1))
    for each in made:
        settings, record, free = inputs_of(each)
        assert jsonable(decide(settings, record, free=free)) == each.decision


def without_ids(made: list[DecisionRecord]) -> list[object]:
    return [(each.settings, [{**run, "run_id": None} for run in each.record["runs"]], each.decision) for each in made]


def test_what_a_retry_trains_is_decided_on_again(database: Database, command: Command) -> None:
    race, killed = (create_race(database, name, len(TRUTH)) for name in ("retried", "killed"))
    for each in (race, killed):
        run_and_release(database, each, without_the_best)
    before, first = races.decisions(database, race.sweep_id), answer_of(database, race)
    assert (first.take, first.stop) == ("raced_c4", "safe"), "the failed seed counts as the starting level"

    again = command("retry", "retried", score=SCORE).expect(0).stdout
    assert f"Race retried: 1 of {first.cost.runs} runs to train again, then another decision with their scores" in again
    assert "raced_c2" in next(line for line in again.splitlines() if "TAKE" in line)
    made, second = races.decisions(database, race.sweep_id), answer_of(database, race)
    assert (second.take, second.stop, second.is_claimed) == ("raced_c2", "safe", True)
    assert second.cost.runs == first.cost.runs + 2, "the race goes on: the new leader has three seeds"
    assert second.cost.env_steps <= 0.5 * second.cost.grid_env_steps + 1e-6
    assert made[: len(before)] == before
    check_replay(made)
    (retried,) = (run["run_id"] for run in before[-1].record["runs"] if run["has_failed"])
    seen = [next(run for run in each.record["runs"] if run["run_id"] == retried) for each in made[len(before) - 1 :]]
    assert [run["full"] for run in seen[:2]] == [before[-1].record["start"], pytest.approx(SCORE(BEST, 0, True))]
    assert (
        "Race retried is decided. To go on with a larger cap: rlsweep race retried --cap 1"
        in command("retry", "retried", score=SCORE).expect(0).stdout
    )

    with pytest.raises(Killed):
        command("retry", "killed", score=SCORE, most_runs=1)
    assert not answer_of(database, killed).is_decided, "what trains again may change the answer"
    assert "undecided" in command("resume", "killed", score=SCORE).expect(0).stdout
    assert without_ids(races.decisions(database, killed.sweep_id)) == without_ids(made)


def test_a_run_that_fails_again_leaves_the_answer_as_it_was(database: Database, command: Command) -> None:
    race = create_race(database, "again", len(TRUTH))
    run_and_release(database, race, without_the_best)
    before = answer_of(database, race)
    said = command("resume", "again", score=without_the_best).expect(0).stdout
    assert (
        "is decided, with 1 failed run counted as the starting level. To train them again: rlsweep retry again" in said
    )
    command("retry", "again", "--from-start", score=without_the_best).expect(0)
    after = answer_of(database, race)
    assert (after.take, after.stop, after.score) == (before.take, before.stop, before.score)
    assert len(after.decisions) == len(before.decisions) + 1
    check_replay(races.decisions(database, race.sweep_id))


def test_a_failed_run_that_trains_again_has_no_score_until_it_pauses_or_ends(database: Database) -> None:
    race = create_race(database, "scoreless", 3)
    run_race(database, race, without_the_best, slots=1, most_runs=4)
    reader = RaceReader(database, race)
    for status, seen in ((RunStatus.FAILED, (True, None)), (RunStatus.PENDING, (False, True))):
        state = reader.read()
        run = next(run for run in state.runs if run.config == BEST)
        assert training_runs.get(database, run.run_id).status is status
        assert (run.has_failed, run.to_end) == seen
        assert (run.rung, run.full) == ((state.start, state.start) if run.has_failed else (None, None))
        assert (run.spent > 0) is run.has_failed, "what it still costs is that of a whole run"
        transitions.take_up(database, race.sweep_id, {RunStatus.FAILED})


def test_a_retry_goes_on_with_all_of_a_race_that_is_not_decided(database: Database, command: Command) -> None:
    race = create_race(database, "broken", len(TRUTH))
    run_race(database, race, without_the_best, slots=1, most_runs=len(TRUTH) + 1)
    lost = DecidedRuns(database, RaceRule(database, race), driver=DRIVER, slots=1, on_scheduled=lambda _: None).take()
    assert lost is not None
    transitions.begin_attempt(database, lost, {"process": f"{own_process().rpartition('.')[0]}.1"})
    sweeps.release(database, race.sweep_id, DRIVER)
    counted = statuses(database, race)
    assert (counted[RunStatus.FAILED], counted[RunStatus.RUNNING]) == (1, 1)
    command("retry", "broken", score=SCORE).expect(0)
    answer, counted = answer_of(database, race), statuses(database, race)
    assert (answer.take, answer.stop) == ("raced_c2", "safe")
    assert counted[RunStatus.COMPLETED] + counted[RunStatus.PAUSED] == sum(counted.values())
