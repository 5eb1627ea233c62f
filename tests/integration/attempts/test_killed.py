"""Ray ends a trial that did not stop in time by a SystemExit, wherever it is; such a trial has stopped, not failed."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from gymnasium.envs.classic_control import CartPoleEnv

from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EnvironmentSpec, TrainingConfig
from rlsweep.runs import NewRun, RunStatus
from rlsweep.settings import Settings
from rlsweep.store import training_runs, transitions
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

STOP = threading.Event()
LEAVES_AT = 70
"""Later than the steps that try the environment before a run."""


class Leaves(CartPoleEnv):
    """Raises SystemExit in its 70th step, as Ray does to kill a process.

    stops: whether it requests a stop of the run just before
    """

    def __init__(self, stops: bool) -> None:
        super().__init__()
        self._stops, self._steps = stops, 0

    def step(self, action: int) -> Any:
        self._steps += 1
        if self._steps == LEAVES_AT:
            if self._stops:
                STOP.set()
            raise SystemExit(1)
        return super().step(action)


@pytest.mark.parametrize(("stops", "status"), [(True, RunStatus.STOPPED), (False, RunStatus.FAILED)])
def test_a_trial_that_is_killed_after_a_stop_has_stopped(
    database: Database, settings: Settings, new_run: Callable[..., NewRun], stops: bool, status: RunStatus
) -> None:
    STOP.clear()
    config = RunConfig(
        agent=AgentConfig(agent_id="killed", name="Killed", algorithm="PPO", version=1, n_steps=128),
        training=TrainingConfig(environment=EnvironmentSpec(id=f"{__name__}:Leaves", kwargs={"stops": stops})),
        mode=Mode.SMOKE,
        budget=Budget(total_timesteps=512),
        seed=0,
    )
    run = transitions.create_single(database, new_run(config=config.to_record(), trial_key=None))
    context = WorkerContext(database_url=database.url, settings=settings, threads=1)
    assert execute_run(run.id, context, stop=STOP) is status
    error = training_runs.get(database, run.id).error
    assert error is None if stops else "step raises SystemExit" in str(error)
