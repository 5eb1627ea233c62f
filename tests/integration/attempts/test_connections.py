"""How many connections to the database a running trial takes."""

import threading
from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from rlsweep.attempts import recorder
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.runs import NewRun, RunStatus
from rlsweep.settings import Settings
from rlsweep.store import transitions
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

HELD = """
    select pid from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
"""


class Looks(threading.Event):
    """Never asks to stop, and notes which connections the database has whenever the trial asks."""

    def __init__(self, connection: psycopg.Connection) -> None:
        super().__init__()
        self._connection = connection
        self.seen: list[int] = []

    def is_set(self) -> bool:
        if threading.current_thread() is threading.main_thread():
            self.seen.extend(pid for (pid,) in self._connection.execute(HELD))
        return super().is_set()


@pytest.mark.parametrize(("slots", "keeps"), [(8, True), (9, False)])
def test_a_trial_with_few_beside_it_holds_one_connection(
    database: Database,
    settings: Settings,
    new_run: Callable[..., NewRun],
    monkeypatch: pytest.MonkeyPatch,
    slots: int,
    keeps: bool,
) -> None:
    """From its start to its end. Pytest fails it as well where the connection is not closed then."""
    monkeypatch.setattr(recorder, "FLUSH_SECONDS", 0.02)
    agent = AgentConfig(agent_id="connections", name="Connections", algorithm="MaskablePPO", version=1, n_steps=64)
    budget = Budget(total_timesteps=512)
    config = RunConfig(agent=agent, training=TrainingConfig(), mode=Mode.FULL, budget=budget, seed=0)
    run_id: UUID = transitions.create_single(database, new_run(config=config.to_record(), trial_key=None)).id
    context = WorkerContext(database_url=database.url, settings=settings, threads=1, slots=slots)
    with psycopg.connect(database.url, autocommit=True) as connection:
        looks = Looks(connection)
        opened: list[object] = []
        opens = Database._open
        monkeypatch.setattr(Database, "_open", lambda self: opened.append(self) or opens(self))
        assert execute_run(run_id, context, stop=looks) is RunStatus.COMPLETED
        assert len(looks.seen) > 1
        assert (len(set(looks.seen)) == 1) is keeps
        assert (len(opened) == 1) is keeps
