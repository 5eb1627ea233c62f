"""A run that pauses and continues has the record of one that never paused, whatever happened between."""

import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from rlsweep.api.policy import evaluate
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.agent import AgentConfig, NetworkConfig
from rlsweep.config.run import Budget, Mode, RunConfig, ScoreEvaluation
from rlsweep.config.training import TrainingConfig
from rlsweep.runs import EndReason, EvaluationKind, NewRun, RunStatus
from rlsweep.settings import Settings
from rlsweep.store import curves, training_runs, transitions
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration


class Interrupts(threading.Event):
    """Interrupts the run, as Ctrl-C does, once it was looked at so often: it saves nothing then."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self._left = looks

    def is_set(self) -> bool:
        self._left -= 1
        if self._left < 0 and threading.current_thread() is threading.main_thread():
            raise KeyboardInterrupt
        return super().is_set()


@pytest.fixture
def planned(database: Database, new_run: Callable[..., NewRun]) -> Callable[..., UUID]:
    """Puts a smoke run of 16 rollouts on record, pending."""

    def make(**given: Any) -> UUID:
        config = RunConfig(
            agent=AgentConfig(
                agent_id="test_agent", name="Test", algorithm="MaskablePPO", version=1, n_steps=64, n_epochs=1,
                network=NetworkConfig(net_arch=(8,)),
            ),
            training=TrainingConfig(),
            mode=Mode.SMOKE,
            budget=Budget(total_timesteps=1024),
            seed=3,
            score_evaluation=ScoreEvaluation(at=(0.5, 1.0), episodes=4),
        )  # fmt: skip
        return transitions.create_single(database, new_run(config=config.to_record(), trial_key=None, **given)).id

    return make


@pytest.fixture
def work(database: Database, settings: Settings) -> Callable[..., RunStatus]:
    """Executes a run in this process, perhaps after it was scheduled."""
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)

    def work(run_id: UUID, stop: threading.Event | None = None, **scheduled: float | None) -> RunStatus:
        if scheduled:
            with database.connect() as connection:
                assert transitions.schedule(connection, run_id, **scheduled)
        return execute_run(run_id, context, stop=stop or threading.Event())

    return work


def record_of(database: Database, run_id: UUID) -> dict[str, Any]:
    """What does not depend on the clock."""
    episodes, updates = curves.episodes_of(database, [run_id])[run_id], curves.updates_of(database, [run_id])[run_id]
    run = training_runs.get(database, run_id)
    return {
        "counters": (run.episodes, run.updates, run.env_steps, run.mean_reward),
        "episodes": list(zip(episodes.episode, episodes.env_steps, episodes.reward, strict=True)),
        "updates": list(zip(updates.update, updates.env_steps, updates.value_loss, strict=True)),
        "evaluations": curves.evaluations_of(database, [run_id])[run_id],
    }


def test_pauses_and_continues_on_record(
    database: Database, planned: Callable[..., UUID], work: Callable[..., RunStatus], settings: Settings
) -> None:
    whole, run_id = planned(), planned(pause_at=0.5)
    assert work(whole) is RunStatus.COMPLETED
    assert work(run_id) is RunStatus.PAUSED
    paused = training_runs.get(database, run_id)
    assert (paused.status, paused.end_reason, paused.env_steps, paused.progress) == (
        RunStatus.PAUSED, EndReason.PAUSED, 512, 0.5,
    )  # fmt: skip
    (score,) = record_of(database, run_id)["evaluations"]
    assert (score.kind, score.env_steps, score.episodes) == (EvaluationKind.SCORE, 512, 4)
    assert evaluate(str(run_id), episodes=2, settings=settings).episodes == 2
    assert work(run_id) is RunStatus.PAUSED  # nobody scheduled it: nothing happens
    assert training_runs.get(database, run_id) == paused
    assert work(run_id, pause_at=None) is RunStatus.COMPLETED
    assert record_of(database, run_id) == record_of(database, whole)


def test_a_run_that_is_killed_on_the_way_to_a_pause_keeps_it(
    database: Database, planned: Callable[..., UUID], work: Callable[..., RunStatus]
) -> None:
    whole, run_id = planned(), planned(pause_at=0.25)
    work(whole)
    assert work(run_id) is RunStatus.PAUSED
    at_its_pause = record_of(database, run_id)
    with pytest.raises(KeyboardInterrupt):
        work(run_id, Interrupts(150), pause_at=0.75)
    stopped = training_runs.get(database, run_id)
    assert (stopped.status, stopped.pause_at) == (RunStatus.STOPPED, 0.75)
    beyond = len(curves.episodes_of(database, [run_id])[run_id].episode)
    # it resumes from the checkpoint of its pause, which lies before what it had recorded, and is to pause there
    assert work(run_id, pause_at=0.2) is RunStatus.PAUSED
    assert record_of(database, run_id) == at_its_pause
    assert len(at_its_pause["episodes"]) < beyond
    assert work(run_id, pause_at=0.75) is RunStatus.PAUSED
    assert work(run_id, pause_at=None) is RunStatus.COMPLETED
    assert record_of(database, run_id) == record_of(database, whole)


def test_a_run_that_is_to_stop_is_stopped_at_its_pause(database: Database, planned: Callable[..., UUID]) -> None:
    run_id = planned(pause_at=0.5)
    transitions.begin_attempt(database, run_id, {})
    transitions.request_stop(database, run_id)
    for _ in range(2):  # the second time as after a lost connection
        assert transitions.finish(database, run_id, 1, EndReason.PAUSED).status is RunStatus.STOPPED
