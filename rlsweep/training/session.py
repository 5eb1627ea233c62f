"""One run while it learns: the work between rollouts, and the end of the run."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import asdict, dataclass

import numpy as np
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from rlsweep.config.run import Mode, RunConfig
from rlsweep.errors import DivergedError, EnvironmentStateError
from rlsweep.metrics import BY_NAME
from rlsweep.runs import Checkpoint, Counters, Evaluation, EvaluationKind, RunStatus, Update, recent_means
from rlsweep.training.callbacks import EpisodeCallback
from rlsweep.training.changing import ChangingValues
from rlsweep.training.checkpoints import CheckpointFolder
from rlsweep.training.evaluation import Evaluator
from rlsweep.training.opponent_pool import OpponentPool
from rlsweep.training.progress import Progress
from rlsweep.training.recorder import Recorder
from rlsweep.training.snapshot import PolicyBackup, RunSnapshot, capture, resume
from rlsweep.training.tensorboard import TensorBoardLog
from rlsweep.training.updates import check_finite, diverged, is_refused_distribution, read_update
from rlsweep.training.vector import normalizer_of

UNBOUNDED = 2**62
"""Env steps that no run reaches; given to `learn` if the budget has episodes only."""


class _StoppedError(Exception):
    """A stop request ended an update, or an evaluation after it."""


class _PausedError(Exception):
    """The run reached its pause."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result(Counters):
    """The end of a run: status COMPLETED, PAUSED or STOPPED, counters over all attempts, and the last checkpoint."""

    status: RunStatus
    checkpoint: Checkpoint


class TrainingSession:
    """The observer of a model while it learns: records updates, evaluates, saves checkpoints."""

    def __init__(
        self,
        config: RunConfig,
        recorder: Recorder,
        model: OnPolicyAlgorithm,
        *,
        progress: Progress,
        checkpoints: CheckpointFolder,
        evaluator: Evaluator | None,
        log: TensorBoardLog | None,
        copies_environments: bool,
        opponents: OpponentPool | None,
        pause_at: float | None = None,
        episodes: type[EpisodeCallback] = EpisodeCallback,
    ) -> None:
        """Take over what a run needs.

        pause_at: share of the budget at which the run pauses; None to train to its end
        opponents: the pool of a run that plays against itself, as of the snapshot to resume from
        episodes: class of the callback that counts env steps and records ended episodes
        """
        self._config = config
        self._recorder = recorder
        self._model = model
        self._progress = progress
        self._values = ChangingValues(config.agent)
        self._checkpoints = checkpoints
        assert model.env is not None
        self._normalizer = normalizer_of(model.env)
        self._evaluator = evaluator
        self._pause_at = pause_at
        self._log = log
        self._copies_environments = copies_environments
        self._opponents = opponents
        self._episodes = episodes(config, recorder, progress, normalizer=self._normalizer)
        self._rollout_began: RunSnapshot | None = None
        self._interval_saved = self._checkpoint_interval
        self._last_saved: Future[Checkpoint] | None = None
        self._last_saved_at = (0, 0)
        self._between: RunSnapshot | None = None
        self._mark_seconds = 0.0
        self._mark_steps = 0
        self._gradient_steps = 0

    def run(self, state: bytes | None) -> Result:
        """Learn until the budget is spent, the pause is reached or a stop is requested, and save a last checkpoint.

        state: state of the snapshot to resume from, if it has one. A run that ends during a rollout saves its state
        before that rollout, because nothing was learnt since; a resumed run collects the rollout again.
        """
        # done even if the budget is spent: a later resume with a larger budget starts from this snapshot
        if state is not None and (reason := resume(self._model, self._episodes, state)) is not None:
            self._recorder.add_facts({"went_on": f"at an episode's start: {reason}"})
        self._renew_opponents(hand_over=True)
        if not self._progress.is_spent(self._config.budget):
            self._recorder.begin_at(
                self._progress.counters, tuple(self._episodes.recent), lambda: self._progress.env_steps
            )
            if self._progress.env_steps and self._checkpoints.begins_before_recorded:
                # saved before the first episode is recorded: the newest checkpoint must fit the recorded episodes
                self._save(self._capture()).result()
            if not self._is_paused:  # an earlier attempt may have come this far
                self._learn()
        self._log_episodes()
        checkpoint = self._save(self._rollout_began or self._capture()).result()
        if self._log is not None:
            self._log.end_session()
        return Result(
            status=self._status,
            checkpoint=checkpoint,
            **asdict(self._progress.counters),
        )

    @property
    def _is_paused(self) -> bool:
        """Whether the run has reached its pause; a run whose budget is spent is completed instead."""
        spent = self._progress.spent(self._config.budget)
        return self._pause_at is not None and self._pause_at <= spent < 1.0

    @property
    def _status(self) -> RunStatus:
        if self._episodes.stopped:
            return RunStatus.STOPPED
        return RunStatus.PAUSED if self._is_paused else RunStatus.COMPLETED

    def save_start(self) -> None:
        """Save a run that begins with the weights of another file, so that resuming it does not need that file."""
        self._save(self._capture()).result()

    def begin_rollout(self) -> None:
        """Take the rollout's values and opponents, and the snapshot that a run which ends during it resumes from."""
        self._values.apply(self._model, self._progress.env_steps)
        between, self._between = self._between, None
        if self._renew_opponents() or between is None:
            between = self._capture()
        self._restart_clock()
        self._rollout_began = between

    def progress_remaining(self) -> float:
        """The remaining fraction of the schedules' budget; SB3 cannot measure it in episodes."""
        return self._progress.remaining(self._config.scheduled_over)

    def update(self, train: Callable[[], None]) -> None:
        """Run one update, then evaluations, a checkpoint and the pause if they are due."""
        before = PolicyBackup(self._model) if self._may_end_midway else None
        try:
            self._train(train)
            self._evaluate_if_due()
            self._score_if_due()
        except _StoppedError:
            # undo the update as well: otherwise a resumed run would skip the interrupted evaluation
            if before is not None:
                before.restore()
            raise
        self._rollout_began = None
        if self._config.mode is Mode.FULL and self._checkpoint_interval > self._interval_saved:
            self._between = self._capture()  # nothing of it changes before the next rollout
            self._save(self._between)
        if self._is_paused:
            raise _PausedError

    @property
    def _may_end_midway(self) -> bool:
        """Whether an update may need undoing: a stop comes before its only step, or in an evaluation after it."""
        assert self._rollout_began is not None
        began = self._rollout_began.progress.env_steps
        return self._evaluator is not None or self._config.gradient_steps(began) > 1

    def step(self) -> None:
        """Count an optimizer step; end the update if the recorder requests a stop."""
        self._end_if_requested()
        self._gradient_steps += 1

    def _end_if_requested(self) -> None:
        if self._recorder.stop_requested:
            raise _StoppedError

    def _capture(self) -> RunSnapshot:
        try:
            return capture(
                self._model,
                self._episodes,
                self._progress,
                with_environments=self._copies_environments,
                opponents=None if self._opponents is None else self._opponents.packed,
            )
        except Exception as exc:
            if not self._copies_environments:
                raise
            self._copies_environments = False
            reason = f"at an episode's start: it can no longer be pickled ({type(exc).__name__}: {exc})"
            self._recorder.add_facts({"resumes": reason})
            return self._capture()

    def _renew_opponents(self, *, hand_over: bool = False) -> bool:
        """Let the pool of a run that plays against itself grow if it is due, and return whether it did.

        hand_over: give the environments their opponents even if it did not
        """
        if self._opponents is None:
            return False
        if grown := self._opponents.grow(self._model, self._progress):
            self._recorder.add_facts({"opponents": self._opponents.fact})
        if grown or hand_over:
            self._opponents.hand_over(self._model)
        return grown

    def _learn(self) -> None:
        step_budget = self._config.budget.total_timesteps
        try:
            self._model.learn(
                UNBOUNDED if step_budget is None else step_budget - self._progress.env_steps,
                callback=self._episodes,
                log_interval=None,  # type: ignore[arg-type]  # SB3 logs each update late, and the last one never
                reset_num_timesteps=False,
            )
            if self._rollout_began is not None and not self._episodes.stopped:
                self._score_if_due()  # the budget was spent within a rollout, which no update follows
        except _PausedError:
            pass
        except _StoppedError:
            self._episodes.stopped = True
        except EnvironmentStateError as exc:
            progress = self._progress
            where = f"at env step {progress.env_steps + self._config.training.n_envs}"
            if self._config.training.backend == "rllib":  # whose steps are counted after each rollout
                where = f"after env step {progress.env_steps}"
            raise exc.located(f"{where}, in episode {progress.episodes + 1}") from exc.__cause__
        except ValueError as exc:
            if not is_refused_distribution(exc):
                raise
            progress = self._progress
            if not np.isfinite(self._model._last_obs).all():  # type: ignore[arg-type]
                raise DivergedError(
                    f"Environment '{self._config.training.environment.id}' gave an observation that is NaN or "
                    f"infinite at env step {progress.env_steps}."
                ) from exc
            raise diverged(progress.updates, progress.env_steps, "the policy's outputs are NaN") from exc

    def _train(self, train: Callable[[], None]) -> None:
        progress = self._progress
        number = progress.updates + 1
        self._gradient_steps = 0
        try:
            train()
        except ValueError as exc:
            if not is_refused_distribution(exc):
                raise
            raise diverged(number, progress.env_steps, "the policy's outputs became NaN") from exc
        progress.updates = number
        logger, tag = self._model.logger, BY_NAME["gradient_steps"].tag
        if tag not in logger.name_to_value:  # learners in other processes log their own
            logger.record(tag, self._gradient_steps)
        update = read_update(
            logger.name_to_value,
            update=number,
            env_steps=progress.env_steps,
            steps_per_second=self._steps_per_second(),
        )
        check_finite(update, self._model)
        self._recorder.add_update(update)
        self._log_update(update)

    def _log_update(self, update: Update) -> None:
        """Add the catalogue's metrics that SB3 does not log, and write all log values for this update."""
        self._log_episodes()
        logger = self._model.logger
        if self._episodes.recent:
            means = recent_means(self._episodes.recent)
            logger.record(BY_NAME["mean_reward"].tag, means.mean_reward)
            logger.record(BY_NAME["mean_length"].tag, means.mean_length)
            if means.win_rate is not None:
                logger.record(BY_NAME["win_rate"].tag, means.win_rate)
        for name in ("policy_loss", "entropy", "steps_per_second"):
            logger.record(BY_NAME[name].tag, getattr(update, name))
        assert self._rollout_began is not None
        for name, value in self._values.of(self._rollout_began.progress.env_steps).items():
            logger.record(f"train/{name}", value)
        logger.dump(update.env_steps)

    def _log_episodes(self) -> None:
        if self._log is not None:
            self._log.add_episodes(self._episodes.unlogged, seconds=self._progress.seconds)
        self._episodes.unlogged.clear()

    def _evaluate_if_due(self) -> None:
        if self._evaluator is None or not self._evaluator.is_due(self._progress):
            return
        evaluation = self._evaluate(self._evaluator, EvaluationKind.PERIODIC)
        if evaluation.is_best:
            self._progress.best_mean_reward = evaluation.mean_reward
            self._checkpoints.save_best(self._model, self._capture())

    def _score_if_due(self) -> None:
        assert self._rollout_began is not None
        before = self._rollout_began.progress
        if self._evaluator is not None and self._evaluator.is_score_due(before, self._progress):
            self._evaluate(self._evaluator, EvaluationKind.SCORE)

    def _evaluate(self, evaluator: Evaluator, kind: EvaluationKind) -> Evaluation:
        evaluation = evaluator.evaluate(
            self._model, self._normalizer, self._progress, kind=kind, on_step=self._end_if_requested
        )
        self._recorder.add_evaluation(evaluation)
        if self._log is not None:
            self._log.add_evaluation(evaluation)
        return evaluation

    @property
    def _checkpoint_interval(self) -> int:
        """Number of complete checkpoint intervals so far."""
        return self._progress.episodes // self._config.training.checkpoint_interval_episodes

    def _save(self, snapshot: RunSnapshot) -> Future[Checkpoint]:
        """Save a snapshot, with the current weights, unless it is already saved."""
        progress = snapshot.progress
        at = progress.env_steps, progress.updates
        if self._last_saved is not None and self._last_saved_at == at:
            return self._last_saved
        self._model.num_timesteps = progress.env_steps
        if self._log is not None:
            self._log.flush()  # an attempt that resumes from here does not write earlier events again
        self._last_saved, self._last_saved_at = self._checkpoints.save(self._model, snapshot), at
        self._interval_saved = self._checkpoint_interval
        return self._last_saved

    def _restart_clock(self) -> None:
        """Start the clock of the speed, which excludes evaluations and saves."""
        self._mark_seconds, self._mark_steps = time.perf_counter(), self._progress.env_steps

    def _steps_per_second(self) -> float:
        elapsed = max(time.perf_counter() - self._mark_seconds, 1e-9)
        return (self._progress.env_steps - self._mark_steps) / elapsed
