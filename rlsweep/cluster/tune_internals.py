"""All private names of Ray Tune that rlsweep uses, each behind a function; see ray_internals.py."""

import shutil
from typing import Any

from ray.tune.execution import class_cache
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial


def use_prestarted_workers() -> None:
    """Let Tune's actors run in prestarted workers.

    Tune sets an environment variable for its actors, and Ray starts a new worker for every actor that has one.
    """
    class_cache.DEFAULT_ENV_VARS.clear()


def forget_ended_trials(scheduler_view: Any) -> None:
    """Remove all ended trials from Tune, with their state and folders. Call it in Tune's thread.

    Tune keeps all trials and writes each into every snapshot of the experiment (ray#64231).
    scheduler_view: the controller that Tune passes to a scheduler's methods
    """
    controller: TuneController = scheduler_view._tune_controller
    ended = controller._stopped_trials | controller._failed_trials
    for trial in ended - controller._trial_to_actor.keys() - controller._staged_trials:
        for known in (controller._stopped_trials, controller._failed_trials, controller._live_trials):
            known.discard(trial)
        controller._trials_to_cache.discard(trial)
        controller._trials.remove(trial)
        controller._trial_metadata.pop(trial.trial_id, None)
        shutil.rmtree(str(trial.local_path), ignore_errors=True)


def actor_of(trial: Trial) -> Any | None:
    """Return the handle of the trial's current actor; None if it has none."""
    return trial.temporary_state.ray_actor
