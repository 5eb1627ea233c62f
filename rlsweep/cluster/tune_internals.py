"""Every name of Ray Tune's that is not public, each behind a function of ours; see ray_internals.py."""

import shutil
from typing import Any

from ray.tune.execution import class_cache
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial


def use_prestarted_workers() -> None:
    """Let Tune's actors run in workers that Ray started before.

    Tune gives its actors an environment variable of its own, and Ray starts a new worker for an actor that has one.
    """
    class_cache.DEFAULT_ENV_VARS.clear()


def forget_ended_trials(scheduler_view: Any) -> None:
    """Make Tune drop each trial that has ended, with its state and its folder; from Tune's own thread.

    Tune keeps all of them, and writes each into every snapshot of the experiment (ray#64231).
    scheduler_view: what Tune hands to a scheduler's methods as its controller
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
    """Give the handle of the actor that runs the trial now; None where it has none."""
    return trial.temporary_state.ray_actor
