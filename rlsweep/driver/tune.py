"""Schedule run ids with Ray Tune, with reused actors and without reported results.

tests/integration/test_tune_recipe.py shows the purpose of each setting.
"""

import threading
from collections import deque
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import ray
from ray import tune
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler
from ray.tune.search.basic_variant import BasicVariantGenerator
from typing_extensions import override

from rlsweep.cluster.resources import Resources
from rlsweep.cluster.tune_internals import actor_of, forget_ended_trials, use_prestarted_workers
from rlsweep.driver.run_source import RESTARTS, RunSource

ABANDON_SECONDS = 5.0
"""Tune's loop takes up to a second for a step."""

_registering = threading.Lock()
"""Tune's table of trainables is not thread-safe: it loses an entry, or raises, if two threads add to it."""


class Fit(threading.Thread):
    """`Tuner.fit` for some runs, in a thread, so that the main thread can monitor, handle signals and end at any time.

    Several may run in one process at the same time; each has unique names in Tune's tables and folders.
    """

    def __init__(
        self,
        trainable: type[tune.Trainable],
        parameters: dict[str, Any],
        source: RunSource,
        *,
        resources: Resources,
        slots: int,
        trials: "LiveTrials",
        folder: Path,
    ) -> None:
        name = f"sweep-{uuid4().hex[:12]}"
        super().__init__(name="tune", daemon=True)
        self.error: Exception | None = None
        self._trials = trials
        use_prestarted_workers()
        own_trainable = tune.with_resources(
            tune.with_parameters(type(name, (trainable,), {}), **parameters),
            tune.PlacementGroupFactory([resources.bundle]),
        )
        with _registering:
            tune.register_trainable(name, own_trainable)
        self._run_ids = _RunIds(source, at_a_time=slots)
        self._tuner = tune.Tuner(
            name,
            tune_config=tune.TuneConfig(
                search_alg=self._run_ids,
                scheduler=_InOrder(),  # type: ignore[no-untyped-call]
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name=name,
                storage_path=str(folder),
                failure_config=tune.FailureConfig(max_failures=RESTARTS),
                # the trainer saves checkpoints itself; by default Tune saves the trainable at the end
                checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
                callbacks=[trials, _NoProgress()],
                progress_reporter=tune.CLIReporter(),  # silent, while the one for notebooks clears a cell's output
                verbose=0,
            ),
        )

    @override
    def run(self) -> None:
        try:
            self._tuner.fit()
        except Exception as error:  # noqa: BLE001 - the main thread raises it again
            self.error = error

    def begin_no_more(self) -> None:
        """Start no further runs; running ones continue to their end. May be called from any thread."""
        self._run_ids.set_finished()  # type: ignore[no-untyped-call]

    def abandon(self) -> None:
        """End the thread without its trials, which end with Ray; wait for it, ABANDON_SECONDS at most.

        While Ray ends, no other thread may call it: its library crashes the process (ray::core::CoreWorker).
        """
        self._trials.abandon()
        self.join(ABANDON_SECONDS)

    def wait(self, seconds: float) -> bool:
        """Wait; return whether it ended within the time."""
        self.join(seconds)
        return not self.is_alive()


class _RunIds(BasicVariantGenerator):
    """Makes each trial only when there is a slot for it, and asks the source which.

    A generator that gets all points in advance stores each of them twice. It subclasses BasicVariantGenerator only
    because Tune lets no other generator prepare more than one trial at a time.
    """

    def __init__(self, source: RunSource, *, at_a_time: int) -> None:
        super().__init__(max_concurrent=at_a_time)
        self._source = source
        self._live: dict[str, UUID] = {}
        self._made = 0
        self._spec: dict[str, Any] = {}

    @override
    def add_configurations(self, experiments: Any) -> None:
        (experiment,) = experiments
        self._spec = experiment.spec

    @override
    def next_trial(self) -> Trial | None:
        if self.is_finished() or len(self._live) >= self.max_concurrent:
            return None
        run_id = self._source.take()
        if run_id is None:
            return None
        self._made += 1
        trial_id = f"{run_id}-{self._made}"  # a run that paused comes again, as another trial
        self._live[trial_id] = run_id
        return Trial(
            self._spec["run"],
            config={"run_id": str(run_id)},
            trial_id=trial_id,
            experiment_tag=trial_id,
            trial_dirname_creator=lambda trial: trial.trial_id,
            storage=self._spec["storage"],
            checkpoint_config=self._spec["checkpoint_config"],
            max_failures=RESTARTS,
        )

    @override
    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        if (run_id := self._live.pop(trial_id, None)) is not None:  # Tune may say it twice
            self._source.has_ended(run_id)

    @override
    def is_finished(self) -> bool:
        return super().is_finished() or self._source.is_exhausted

    @override
    def save_to_dir(self, dirpath: str, session_str: str = "", **kwargs: Any) -> None:
        """Save nothing: the database has the unfinished runs."""


class _InOrder(FIFOScheduler):
    """Runs trials in order. It never gives a cached actor to a trial whose own actor is starting; that would cancel it.

    It also removes ended trials from Tune.
    """

    @override
    def choose_trial_to_run(self, tune_controller: TuneController) -> Trial | None:
        forget_ended_trials(tune_controller)
        return None


class _NoProgress(TrialProgressCallback):
    """Replaces the progress callback that Tune would add, which prints nothing here and keeps every trial."""

    @override
    def on_trial_result(self, *_: Any, **__: Any) -> None: ...

    @override
    def on_trial_error(self, *_: Any, **__: Any) -> None: ...

    @override
    def on_trial_complete(self, *_: Any, **__: Any) -> None: ...


class LiveTrials(tune.Callback):
    """Maps runs to trials, kills overdue trials, and collects why processes died.

    It works in Tune's thread, so that it never kills an actor that has started another trial meanwhile.
    """

    def __init__(self) -> None:
        self._live: dict[UUID, Trial] = {}
        self._overdue: set[UUID] = set()
        self._lost: deque[tuple[UUID, str]] = deque()
        self._is_abandoned = False

    def __getstate__(self) -> dict[str, Any]:
        # Tune pickles its callbacks into a state file that is never read
        return {}

    def kill(self, run_id: UUID) -> bool:
        """Kill the process of a trial soon, without a restart; return False if that was requested before.

        May be called from any thread.
        """
        news = run_id not in self._overdue
        self._overdue.add(run_id)
        return news

    def abandon(self) -> None:
        """End Tune's thread after its current step, without its clean-up. May be called from any thread."""
        self._is_abandoned = True

    def take_lost(self) -> dict[UUID, str]:
        """Return the runs whose processes died without a restart since the last call, each with Ray's text."""
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
        self._lost.append((run_id, details.rstrip()))

    @override
    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        if self._is_abandoned:
            raise SystemExit  # Tune cleans up after an Exception, and waits for its trials
        for run_id in self._overdue & self._live.keys():
            trial = self._live[run_id]
            if (actor := actor_of(trial)) is not None:
                del self._live[run_id]
                trial.max_failures = 0
                ray.kill(actor)


def _run_of(trial: Trial) -> UUID:
    return UUID(trial.config["run_id"])
