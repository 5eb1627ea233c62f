"""What Ray Tune schedules: one trial is one call of `step`, on the actor's main thread.

A class trainable, because it leaves no thread behind: an actor whose trial has returned is free for the next one, with
torch, SB3 and the environments already imported.
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

from rlsweep.attempts.execution import WorkerContext, execute_run
from rlsweep.cluster.actor_location import own_actor
from rlsweep.driver.stop_flag import StopFlag
from rlsweep.errors import StaleAttemptError

logger = logging.getLogger(__name__)


class TrialTrainable(tune.Trainable):
    """Takes up the run that Tune's config names. All that it reports to Tune is that it is done."""

    def setup(  # type: ignore[override]  # `tune.with_parameters` hands over the rest
        self, config: dict[str, Any], context: WorkerContext, flag: StopFlag
    ) -> None:
        """Keep what a worker needs; called once an actor."""
        if not ray.get_runtime_context().get_accelerator_ids().get("GPU"):
            # Ray hides no GPU from an actor that asked for none (ray#54868), and torch would take the first
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        self._run_id = UUID(config["run_id"])
        self._workplace = dataclasses.replace(context, actor=own_actor())
        self._flag = flag
        if context.code_folder is not None:
            sys.path.insert(0, str(context.code_folder))  # before the folder that the service was started in

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Take the next trial in this process."""
        self._run_id = UUID(new_config["run_id"])
        return True

    def step(self) -> dict[str, Any]:
        """Run the whole trial. Its own failure is on its record; only a lost database or process is Tune's to see."""
        stop = threading.Event()
        if self._flag.is_raised():
            stop.set()
        try:
            execute_run(self._run_id, self._workplace, stop=stop, stop_elsewhere=self._flag.is_raised)
        except StaleAttemptError as error:
            logger.warning("%s", error)  # the run is another process's now
        return {"done": True}
