"""The trainable that Ray Tune schedules: one trial is one call of `step`, on the actor's main thread.

It is a class trainable, because a function trainable leaves a thread behind. So an actor whose trial has ended can run
the next one, with torch, SB3 and the environments already imported.
"""

import dataclasses
import logging
import os
import sys
import threading
from typing import Any
from uuid import UUID

import ray
from ray import tune

from rlsweep import child_signals
from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.cluster.actor_location import own_actor
from rlsweep.cluster.working_folder import enter
from rlsweep.driver.meters import SpoolMeter
from rlsweep.driver.stop_flag import StopFlag
from rlsweep.errors import StaleAttemptError
from rlsweep.imports import left_out

logger = logging.getLogger(__name__)


class TrialTrainable(tune.Trainable):
    """Executes the run whose id is in Tune's config. It reports to Tune only that it is done."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        with left_out("IPython"):  # Tune imports it where it is installed, to end a shell that no worker has
            super().__init__(*arguments, **named)

    def setup(  # type: ignore[override]  # `tune.with_parameters` passes the other arguments
        self, config: dict[str, Any], context: WorkerContext, flag: StopFlag, sweep_name: str
    ) -> None:
        """Prepare the worker; called once per actor."""
        if not ray.get_runtime_context().get_accelerator_ids().get("GPU"):
            # Ray does not hide GPUs from an actor that requested none (ray#54868), and torch would use the first one
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        child_signals.set_in_children(child_signals.DEFAULT)  # Ray's are for its worker
        self._run_id = UUID(config["run_id"])
        self._worker_context = dataclasses.replace(context, actor=own_actor())
        self._flag = flag
        self._spool_meter = SpoolMeter(sweep_name)
        if context.code_folder is not None:
            sys.path.insert(0, str(context.code_folder))  # before the folder in which the service was started

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Prepare for the next trial in this process."""
        self._run_id = UUID(new_config["run_id"])
        return True

    def step(self) -> dict[str, Any]:
        """Run the whole trial. Its own errors are recorded; Tune only sees a lost database or process."""
        enter(self._worker_context.folder)  # for every trial: Tune enters a folder of its own before each
        stop = threading.Event()
        if self._flag.is_raised():
            stop.set()
        try:
            execute_run(
                self._run_id,
                self._worker_context,
                stop=stop,
                stop_elsewhere=self._flag.is_raised,
                on_spool=self._spool_meter.set,
            )
        except StaleAttemptError as error:
            logger.warning("%s", error)  # another process trains the run now
        return {"done": True}
