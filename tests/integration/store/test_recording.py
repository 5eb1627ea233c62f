from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from rlsweep.errors import NotFoundError, StaleAttemptError
from rlsweep.runs import (
    Checkpoint,
    Counters,
    EndReason,
    Episode,
    Evaluation,
    EvaluationKind,
    Outcome,
    RunStatus,
    TrainingRun,
    Update,
)
from rlsweep.store import curves, recording, sweeps, training_runs, transitions
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress

pytestmark = pytest.mark.integration

Make = Callable[..., Any]


def episodes(numbers: Sequence[int], *, reward: float = 1.0, outcome: Outcome | None = Outcome.WIN) -> list[Episode]:
    return [
        Episode(episode=number, env_steps=10 * number, reward=reward, length=10, outcome=outcome, seconds=number / 4)
        for number in numbers
    ]


def update(number: int, **given: Any) -> Update:
    values: dict[str, Any] = {
        "policy_loss": -0.01, "value_loss": 0.5, "entropy": 1.9, "approx_kl": 0.01, "clip_fraction": 0.1,
        "explained_variance": 0.3, "gradient_steps": 40, "learning_rate": 3e-4, "steps_per_second": 900.0,
    }  # fmt: skip
    return Update(update=number, env_steps=100 * number, **(values | given))


def evaluation(env_steps: int, mean_reward: float = 0.5, **given: Any) -> Evaluation:
    values: dict[str, Any] = {"reward_sd": 0.1, "mean_length": 12.5, "win_rate": None, "is_best": True}
    return Evaluation(env_steps=env_steps, episodes=20, mean_reward=mean_reward, **(values | given))


def score(env_steps: int, mean_reward: float = 0.5) -> Evaluation:
    return evaluation(env_steps, mean_reward, is_best=False, kind=EvaluationKind.SCORE)


def checkpoint(episode: int, uri: str) -> Checkpoint:
    return Checkpoint(episode=episode, env_steps=10 * episode, uri=uri, sha256="ab" * 32, bytes=1234)


@pytest.fixture
def run(database: Database, new_run: Make) -> TrainingRun:
    created = transitions.create_single(database, new_run())
    started = transitions.begin_attempt(database, created.id, {})
    assert started is not None
    return started


def test_what_is_flushed_is_what_is_read(database: Database, run: TrainingRun) -> None:
    outcomes = [Outcome.WIN, Outcome.DRAW, Outcome.LOSS, None]
    batch = Batch(
        progress=Progress(
            episodes=4, updates=2, env_steps=45, mean_reward=0.25, win_rate=0.5, mean_length=10.0, steps_per_second=9.5
        ),
        episodes=[episodes([n], outcome=outcome)[0] for n, outcome in enumerate(outcomes, start=1)],
        updates=[update(1), update(2, approx_kl=None, explained_variance=float("nan"), gradient_steps=None)],
        evaluations=[evaluation(20), evaluation(40), score(40)],
        checkpoints=[checkpoint(2, "/c/2.zip"), checkpoint(4, "/c/4.zip")],
    )
    assert recording.flush(database, run.id, run.attempt, batch) is False

    columns = curves.episodes_of(database, [run.id])[run.id]
    assert columns.episode.tolist() == [1, 2, 3, 4]
    assert columns.env_steps.tolist() == [10, 20, 30, 40]
    assert columns.reward.tolist() == [1.0] * 4
    assert columns.length.tolist() == [10] * 4
    assert columns.outcome.tolist() == [curves.WIN, curves.DRAW, curves.LOSS, curves.NO_OUTCOME]
    assert columns.seconds.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert columns.reward.dtype == np.float64
    assert columns.outcome.dtype == np.int8

    diagnostics = curves.updates_of(database, [run.id])[run.id]
    assert diagnostics.update.tolist() == [1, 2]
    assert diagnostics.policy_loss.tolist() == [-0.01, -0.01]
    assert np.isnan(diagnostics.approx_kl).tolist() == [False, True]
    assert np.isnan(diagnostics.explained_variance).tolist() == [False, True]
    assert np.nan_to_num(diagnostics.gradient_steps).tolist() == [40, 0]

    assert curves.evaluations_of(database, [run.id]) == {run.id: batch.evaluations}
    assert curves.checkpoints_of(database, run.id) == batch.checkpoints
    assert training_runs.latest_checkpoint(database, run.id) == batch.checkpoints[1]

    after = training_runs.get(database, run.id)
    progress = batch.progress
    assert (after.episodes, after.updates, after.env_steps) == (4, 2, 45)
    assert (after.mean_reward, after.win_rate, after.mean_length, after.steps_per_second) == (0.25, 0.5, 10.0, 9.5)
    assert progress.episodes == after.episodes
    assert after.heartbeat_at is not None
    assert run.heartbeat_at is not None
    assert after.heartbeat_at > run.heartbeat_at


def test_a_repeat_is_harmless(database: Database, run: TrainingRun) -> None:
    batch = Batch(
        progress=Progress(episodes=3, updates=1, env_steps=30),
        episodes=episodes([1, 2, 3]),
        updates=[update(1)],
        evaluations=[evaluation(30)],
        checkpoints=[checkpoint(3, "/c/3.zip")],
        dropped_uris=["/c/never-there.zip"],
    )
    for _ in range(3):
        recording.flush(database, run.id, run.attempt, batch)
    columns = curves.episodes_of(database, [run.id])[run.id]
    assert columns.episode.tolist() == [1, 2, 3]
    assert columns.reward.tolist() == [1.0, 1.0, 1.0]
    assert curves.updates_of(database, [run.id])[run.id].update.tolist() == [1]
    assert curves.evaluations_of(database, [run.id])[run.id] == batch.evaluations
    assert curves.checkpoints_of(database, run.id) == batch.checkpoints


def test_a_stale_attempt_writes_nothing(database: Database, run: TrainingRun) -> None:
    transitions.begin_attempt(database, run.id, {})
    with pytest.raises(StaleAttemptError, match="attempt 2 has replaced it"):
        recording.flush(
            database, run.id, 1, Batch(progress=Progress(episodes=1, updates=0, env_steps=10), episodes=episodes([1]))
        )
    assert curves.episodes_of(database, [run.id])[run.id].episode.size == 0
    assert training_runs.get(database, run.id).episodes == 0


@pytest.mark.parametrize("reason", [EndReason.COMPLETED, EndReason.STOPPED, EndReason.DIVERGED, EndReason.FAILED])
def test_a_run_that_ended_takes_no_more(database: Database, run: TrainingRun, reason: EndReason) -> None:
    transitions.finish(database, run.id, 1, reason)
    with pytest.raises(StaleAttemptError, match=f"the run is {reason.status}"):
        recording.flush(database, run.id, 1, Batch(progress=Progress(episodes=0, updates=0, env_steps=0)))


@pytest.mark.parametrize("stop_first", [False, True])
def test_a_worker_that_was_cut_off_and_taken_for_dead_goes_on(
    database: Database, new_sweep: Make, new_run: Make, stop_first: bool
) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run()])
    (run,) = training_runs.of_sweep(database, sweep.id)
    transitions.begin_attempt(database, run.id, {})
    with database.connect() as connection:
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '1 hour'")
    if stop_first:
        sweeps.request_stop(database, sweep.id)
    (ended,) = transitions.end_abandoned(database, sweep_id=sweep.id)
    assert (ended.status, ended.end_reason) == (RunStatus.STOPPED, EndReason.ABANDONED)
    assert sweeps.settle(database, sweep.id).status.is_finished

    batch = Batch(progress=Progress(episodes=1, updates=0, env_steps=10), episodes=episodes([1]))
    assert recording.flush(database, run.id, 1, batch) is stop_first
    again = training_runs.get(database, run.id)
    assert (again.status, again.end_reason, again.error, again.ended_at) == (RunStatus.RUNNING, None, None, None)
    assert not sweeps.get(database, str(sweep.id)).status.is_finished
    assert transitions.finish(database, run.id, 1, EndReason.COMPLETED).status is RunStatus.COMPLETED

    (other,) = training_runs.of_sweep(database, sweeps.create(database, new_sweep(), [new_run()]).id)
    transitions.begin_attempt(database, other.id, {})
    transitions.request_stop(database, other.id)
    transitions.fail_lost(database, other.id, "gone")
    with pytest.raises(StaleAttemptError, match="the run is stopped"):
        recording.flush(database, other.id, 1, batch)


def test_a_run_that_was_deleted_is_said_to_be_missing(database: Database, run: TrainingRun) -> None:
    with database.connect() as connection:
        connection.execute("delete from training_runs where id = %s", [run.id])
    with pytest.raises(NotFoundError):
        recording.flush(database, run.id, 1, Batch(progress=Progress(episodes=0, updates=0, env_steps=0)))


def test_an_empty_flush_is_a_sign_of_life_and_reads_the_stop(database: Database, run: TrainingRun) -> None:
    nothing = Batch(progress=Progress(episodes=0, updates=0, env_steps=0))
    assert recording.flush(database, run.id, 1, nothing) is False
    transitions.request_stop(database, run.id)
    assert recording.flush(database, run.id, 1, nothing) is True


def test_what_lies_beyond_a_checkpoint_stays_until_it_is_recorded_again(database: Database, run: TrainingRun) -> None:
    def flush(attempt: int, **given: Any) -> None:
        progress = Progress(episodes=8, updates=3, env_steps=80)
        batch = Batch(progress=progress, began_at_env_steps=0 if attempt == 1 else 50, **given)
        recording.flush(database, run.id, attempt, batch)

    def rewards() -> list[float]:
        return curves.episodes_of(database, [run.id])[run.id].reward.tolist()

    def evaluated() -> list[tuple[int, float]]:
        found = curves.evaluations_of(database, [run.id])[run.id]
        return [(each.env_steps, each.mean_reward) for each in found]

    flush(
        1,
        episodes=episodes(range(1, 9), reward=-1.0),
        updates=[update(number, value_loss=1.0) for number in (1, 2, 3)],
        evaluations=[evaluation(40, 0.4), evaluation(60, 0.6), evaluation(80, 0.8)],
        checkpoints=[checkpoint(5, "/c/5.zip")],
    )
    transitions.begin_attempt(database, run.id, {})
    assert rewards() == [-1.0] * 8

    flush(2, episodes=episodes([6, 7], reward=1.0), updates=[update(2, value_loss=2.0)])
    assert rewards() == [-1.0] * 5 + [1.0] * 2 + [-1.0]
    assert curves.updates_of(database, [run.id])[run.id].value_loss.tolist() == [1.0, 2.0, 1.0]
    assert evaluated() == [(40, 0.4), (60, 0.6), (80, 0.8)]

    flush(2, evaluations=[evaluation(70, 0.7)])
    assert evaluated() == [(40, 0.4), (70, 0.7), (80, 0.8)], "one that was gone past is none of this trajectory"

    final = Counters(episodes=7, updates=2, env_steps=75)
    ended = transitions.finish(database, run.id, 2, EndReason.COMPLETED, final=final)
    assert (ended.episodes, ended.updates, ended.env_steps) == (7, 2, 75)
    assert rewards() == [-1.0] * 5 + [1.0] * 2
    assert curves.updates_of(database, [run.id])[run.id].value_loss.tolist() == [1.0, 2.0]
    assert evaluated() == [(40, 0.4), (70, 0.7)]


def test_a_newer_attempt_has_the_latest_checkpoint(database: Database, run: TrainingRun) -> None:
    progress = Progress(episodes=0, updates=0, env_steps=0)
    old = [checkpoint(4, "/c/best.zip"), checkpoint(10, "/c/10.zip")]
    recording.flush(database, run.id, 1, Batch(progress=progress, checkpoints=old))
    transitions.begin_attempt(database, run.id, {})
    assert training_runs.latest_checkpoint(database, run.id) == old[1]
    went_back = [checkpoint(5, "/c/5.zip"), checkpoint(6, "/c/6.zip")]
    recording.flush(database, run.id, 2, Batch(progress=progress, checkpoints=went_back))
    assert training_runs.latest_checkpoint(database, run.id) == went_back[1]


def test_dropped_checkpoints_are_forgotten(database: Database, run: TrainingRun) -> None:
    progress = Progress(episodes=0, updates=0, env_steps=0)
    for number in range(1, 5):
        dropped = [f"/c/{number - 3}.zip"] if number > 3 else []
        kept = checkpoint(number, f"/c/{number}.zip")
        recording.flush(database, run.id, 1, Batch(progress=progress, checkpoints=[kept], dropped_uris=dropped))
    assert [found.uri for found in curves.checkpoints_of(database, run.id)] == ["/c/2.zip", "/c/3.zip", "/c/4.zip"]


def test_a_run_without_records_reads_as_empty(database: Database, run: TrainingRun) -> None:
    assert curves.episodes_of(database, [run.id])[run.id].reward.shape == (0,)
    assert curves.updates_of(database, [run.id])[run.id].entropy.shape == (0,)
    assert curves.evaluations_of(database, [run.id]) == {run.id: []}
    assert curves.checkpoints_of(database, run.id) == []
    assert curves.episodes_of(database, []) == {}
    assert training_runs.latest_checkpoint(database, run.id) is None


def test_a_whole_sweep_is_read_at_once(database: Database, new_sweep: Make, new_run: Make) -> None:
    sweep = sweeps.create(database, new_sweep(), [new_run() for _ in range(60)])
    ids = [run.id for run in training_runs.of_sweep(database, sweep.id)]
    with database.connect() as connection:
        connection.execute(
            "insert into episodes (run_id, episode, attempt, length, env_steps, reward, seconds, outcome) "
            "select id, n, 1, 10, 10 * n, position, n / 10.0, 'win' "
            "from training_runs, generate_series(1, 5000) as n"
        )
    by_run = curves.episodes_of(database, ids)
    assert list(by_run) == ids
    for position, run_id in enumerate(ids, start=1):
        assert by_run[run_id].episode.tolist() == list(range(1, 5001))
        assert set(by_run[run_id].reward) == {position}


def test_what_a_run_is_judged_by_is_what_was_recorded(database: Database, run: TrainingRun) -> None:
    with database.connect() as connection:
        connection.execute(
            "insert into episodes (run_id, episode, attempt, length, env_steps, reward, seconds, outcome) "
            "select %s, n, 1, 10 + n, 20 * n, n, n / 10.0, (array['win', 'draw', 'loss', null])[1 + n %% 4] "
            "from generate_series(1, 10) as n",
            [run.id],
        )
    read = curves.episodes_of(database, [run.id])[run.id]
    recorded = curves.recorded_of(database, [run.id])[run.id]
    for name in ("env_steps", "reward", "length"):
        column, whole = getattr(recorded.results, name), getattr(read, name)
        assert column.dtype == whole.dtype
        assert column.tolist() == whole.tolist()
    won = [{curves.WIN: 1.0, curves.NO_OUTCOME: None}.get(outcome, 0.0) for outcome in read.outcome.tolist()]
    assert [None if np.isnan(value) else value for value in recorded.results.won] == won
    assert (recorded.updates.update.size, recorded.evaluations) == (0, [])
    late = curves.results_of(database, [run.id], after=0.5)[run.id]
    assert late.env_steps.tolist() == [120, 140, 160, 180, 200]
