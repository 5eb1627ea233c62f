"""Ray Tune as rlsweep uses it: a scheduler of run ids that reports nothing, whose actors are used again and again.

What each setting is for is shown in tests/integration/test_tune_recipe.py.
"""

import threading
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import ray
from ray import tune
from ray.tune.execution import class_cache
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator
from typing_extensions import override

from rlsweep.sweep.resources import Resources

RESTARTS = 3
"""How often a trial whose process died is taken up again. A trial's own error never reaches Tune."""

# Tune gives its actors an environment variable of its own, which keeps them from Ray's prestarted workers.
class_cache.DEFAULT_ENV_VARS.clear()


class Fit(threading.Thread):
    """`Tuner.fit` over some runs, in a thread: the main thread can watch, answer signals, and leave at any time."""

    def __init__(
        self,
        trainable: type[tune.Trainable],
        parameters: dict[str, Any],
        run_ids: Sequence[UUID],
        *,
        resources: Resources,
        slots: int,
        trials: "LiveTrials",
        folder: Path,
    ) -> None:
        super().__init__(name="tune", daemon=True)
        self.error: Exception | None = None
        self._tuner = tune.Tuner(
            tune.with_resources(
                tune.with_parameters(trainable, **parameters), tune.PlacementGroupFactory([resources.bundle])
            ),
            param_space={"run_id": None},
            tune_config=tune.TuneConfig(
                num_samples=len(run_ids),
                search_alg=BasicVariantGenerator(
                    points_to_evaluate=[{"run_id": str(run_id)} for run_id in run_ids],
                    max_concurrent=slots,
                ),
                scheduler=_InOrder(),  # type: ignore[no-untyped-call]
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="sweep",
                storage_path=str(folder),
                failure_config=tune.FailureConfig(max_failures=RESTARTS),
                # Checkpoints are the trainer's own; Tune would otherwise save the trainable when it is done.
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                callbacks=[trials],
                verbose=0,
            ),
        )

    @override
    def run(self) -> None:
        try:
            self._tuner.fit()
        except Exception as error:  # noqa: BLE001 - the main thread raises it again
            self.error = error

    def wait(self, seconds: float) -> bool:
        """Whether it ended within the time."""
        self.join(seconds)
        return not self.is_alive()


class _InOrder(FIFOScheduler):
    """First come, first served; never gives a cached actor to a trial whose own is on its way: that would cancel it."""

    @override
    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        return None


class LiveTrials(tune.Callback):
    """Knows which trial each run is, kills those that are overdue, and why processes died.

    It acts in Tune's own thread, so that an actor is never killed for the trial that it held before.
    """

    def __init__(self) -> None:
        self._live: dict[UUID, Trial] = {}
        self._overdue: set[UUID] = set()
        self._lost: deque[tuple[UUID, str]] = deque()

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its callbacks into a state file that nobody reads.
        return {}

    def kill(self, run_id: UUID) -> bool:
        """End the process of a trial for good, whatever it does, soon; from any thread. False if asked before."""
        news = run_id not in self._overdue
        self._overdue.add(run_id)
        return news

    def take_lost(self) -> dict[UUID, str]:
        """Give the runs whose processes died for good since the last call, each with what is known of it."""
        lost: dict[UUID, str] = {}
        while self._lost:
            run_id, reason = self._lost.popleft()
            lost[run_id] = reason
        return lost

    @override
    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._live[_run_of(trial)] = trial

    @override
    def on_trial_complete(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        self._live.pop(_run_of(trial), None)

    @override
    def on_trial_error(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        run_id = _run_of(trial)
        self._live.pop(run_id, None)
        details = Path(trial.error_file).read_text() if trial.error_file else ""
        self._lost.append((run_id, f"The trial's process died.\n{details}".rstrip()))

    @override
    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        for run_id in self._overdue & self._live.keys():
            trial = self._live[run_id]
            if trial.temporary_state.ray_actor is not None:
                del self._live[run_id]
                trial.max_failures = 0
                ray.kill(trial.temporary_state.ray_actor)


def _run_of(trial: Trial) -> UUID:
    return UUID(trial.config["run_id"])
