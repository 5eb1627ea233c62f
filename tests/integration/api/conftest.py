"""A process whose RLSWEEP_* variables name a database of the test's own, as a notebook's would."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rlsweep.api.opening import close_databases
from rlsweep.api.runs import Run
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.run import Mode
from rlsweep.planning.plan import make_run
from rlsweep.planning.submission import run_of_trial
from rlsweep.runs import RunStatus
from rlsweep.settings import Settings
from rlsweep.store import transitions
from rlsweep.store.database import Database

BASE_CONFIG = Path(__file__).parents[3] / "config" / "agents" / "ppo_agent_v1.yaml"


@pytest.fixture(autouse=True)
def environ(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RLSWEEP_DATABASE_URL", settings.database_url or "")
    monkeypatch.setenv("RLSWEEP_HOME", str(settings.home))
    monkeypatch.setenv("RLSWEEP_STORAGE", str(settings.storage))
    yield
    close_databases()


@pytest.fixture
def train_run(database: Database, settings: Settings) -> Callable[..., Run]:
    """Trains the base config in CartPole for 64 env steps, under further overrides."""

    def train(*overrides: str, mode: Mode = Mode.SMOKE) -> Run:
        trial = make_run(
            BASE_CONFIG,
            base_config=None,
            overrides=["n_steps=16", "batch_size=16", "environment=CartPole-v1", *overrides],
            mode=mode,
            episodes=None,
            total_timesteps=64,
        )
        run = transitions.create_single(database, run_of_trial(trial))
        context = WorkerContext(database_url=database.url, settings=settings, threads=1)
        assert execute_run(run.id, context, stop=threading.Event()) is RunStatus.COMPLETED
        return Run(run, settings)

    return train
