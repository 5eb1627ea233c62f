"""Joins training to the store: records are taken at once and sent in short transactions from a thread of their own."""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from rlsweep.attempts.spool import Spool
from rlsweep.errors import StoreUnavailableError
from rlsweep.runs import RECENT_EPISODES, Checkpoint, Counters, Episode, Evaluation, TrainingRun, Update, recent_means
from rlsweep.store import recording
from rlsweep.store.database import Database
from rlsweep.store.recording import Batch, Progress
from rlsweep.store.retry import jittered, retry_while_away

logger = logging.getLogger(__name__)

FLUSH_SECONDS = 1.0
"""Between two transactions of one run: 3 ms each, 0.3% of a core."""

PATIENCE_SECONDS = 60.0
"""How long the start and the end of a run wait for a database that is away before they give up."""


@dataclass(slots=True)
class _Pending:
    """What waits for the next transaction."""

    episodes: list[Episode] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    dropped_uris: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def followed_by(self, later: "_Pending") -> "_Pending":
        """Both, this one's records first; of a file that was written anew the later record counts, and it is there."""
        anew = {checkpoint.uri for checkpoint in later.checkpoints}
        return _Pending(
            self.episodes + later.episodes,
            self.updates + later.updates,
            self.evaluations + later.evaluations,
            [checkpoint for checkpoint in self.checkpoints if checkpoint.uri not in anew] + later.checkpoints,
            [uri for uri in self.dropped_uris if uri not in anew] + later.dropped_uris,
            self.facts | later.facts,
        )


class StoreRecorder:
    """A `Recorder` over the store for one attempt of one run. Use it as a context manager.

    The flushing thread also keeps the run's heartbeat while a long update computes, and reads whether the run
    should stop: it sets `stop`, which anyone else may set too. While the database is away records wait in `spool` and
    `stop_elsewhere` is asked instead.

    Leaving the context sends what is left. Errors raised there: StaleAttemptError where a newer attempt took the
    run over, StoreUnavailableError where the database did not come back in time (what waits stays in `spool`),
    SpoolError where it could not be kept there.
    """

    def __init__(
        self,
        database: Database,
        run: TrainingRun,
        *,
        on_record: Sequence[Checkpoint],
        spool: Spool,
        stop: threading.Event,
        stop_elsewhere: Callable[[], bool],
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """on_record: the checkpoints that older attempts left."""
        self._recorded_uris = {checkpoint.uri for checkpoint in on_record}
        self._spool = spool
        self._stop = stop
        self._database = database
        self._run = run
        self._stop_elsewhere = stop_elsewhere
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._closing_seconds = patience_seconds
        self._is_away = False
        self._failure: Exception | None = None
        self._pending = _Pending()
        self._recent: deque[Episode] = deque(maxlen=RECENT_EPISODES)
        self._began_at_env_steps = 0
        # What the last attempt left on record is shown until this one has come as far.
        self._progress = Progress(
            episodes=run.episodes,
            updates=run.updates,
            env_steps=run.env_steps,
            mean_reward=run.mean_reward,
            win_rate=run.win_rate,
            mean_length=run.mean_length,
            steps_per_second=run.steps_per_second,
        )
        self._own = self._progress
        self._thread = threading.Thread(target=self._send, name="recorder", daemon=True)

    @property
    def stop_requested(self) -> bool:
        """Whether the run should end at the next step, by itself."""
        return self._stop.is_set()

    def begin_at(self, counters: Counters, recent: Sequence[Episode]) -> None:
        """Take where this attempt begins, and the last episodes before that."""
        with self._lock:
            self._began_at_env_steps = counters.env_steps
            self._recent.extend(recent)
            self._own = replace(
                self._own, episodes=counters.episodes, updates=counters.updates, env_steps=counters.env_steps
            )

    def overtake(self) -> None:
        """Show this attempt's figures even where an older one had come further: from now on it is the record."""
        with self._lock:
            self._progress = self._own

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Take what is to be known of how the run is made, for its metadata."""
        with self._lock:
            self._pending.facts.update(facts)

    def add_episodes(self, episodes: Sequence[Episode]) -> None:
        """Take episodes that ended, in order; at least one."""
        with self._lock:
            self._pending.episodes.extend(episodes)
            self._recent.extend(episodes)
            self._go_on(episodes=episodes[-1].episode, env_steps=episodes[-1].env_steps)

    def add_update(self, update: Update) -> None:
        """Take the diagnostics of one policy update."""
        with self._lock:
            self._pending.updates.append(update)
            self._go_on(updates=update.update, env_steps=update.env_steps, steps_per_second=update.steps_per_second)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Take one evaluation."""
        with self._lock:
            self._pending.evaluations.append(evaluation)

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        """Take a checkpoint whose file is complete; the files of `dropped_uris` are gone."""
        with self._lock:
            written = _Pending(checkpoints=[checkpoint], dropped_uris=list(dropped_uris))
            self._pending = self._pending.followed_by(written)

    def drop_checkpoints(self, uris: Sequence[str]) -> None:
        """Take that the files of these are gone."""
        with self._lock:
            self._pending.dropped_uris.extend(uris)

    def is_recorded(self, uri: str) -> bool:
        """Whether the database has acknowledged this checkpoint."""
        with self._lock:
            return uri in self._recorded_uris

    def __enter__(self) -> "StoreRecorder":
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error_type is KeyboardInterrupt:
            self._closing_seconds = 0.0
        self._closing.set()
        self._thread.join()
        if self._failure is not None and error is None:
            raise self._failure

    def _go_on(self, **figures: Any) -> None:
        self._own = replace(self._own, **figures)
        if self._own.env_steps >= self._progress.env_steps:
            self._progress = self._own

    def _send(self) -> None:
        try:
            while not self._closing.wait(jittered(FLUSH_SECONDS)):
                self._send_or_keep()
            retry_while_away(self._send_or_keep_and_say, seconds=self._closing_seconds, until=self._stop_elsewhere)
        except Exception as error:  # noqa: BLE001 - raised again where the context is left
            self._failure = error
            self._stop.set()

    def _send_or_keep(self) -> None:
        """Send what is pending; while the database is away keep it, and ask elsewhere whether to stop."""
        try:
            self._send_or_keep_and_say()
        except StoreUnavailableError as error:
            if not self._is_away:
                self._is_away = True
                logger.warning("run %s keeps its records in %s: %s", self._run.id, self._spool.path, error)
            if self._stop_elsewhere():
                self._stop.set()

    def _send_or_keep_and_say(self) -> None:
        """Send what waits and what is new, in order. Raises StoreUnavailableError once the rest is kept."""
        batch = self._take_pending()
        try:
            if not self._spool.is_empty:
                for waiting in self._spool.batches():
                    self._flush(waiting)
                self._spool.clear()
            self._flush(batch)
            self._is_away = False
        except StoreUnavailableError:
            if batch.has_records:
                self._spool.keep(batch)
            raise

    def _take_pending(self) -> Batch:
        with self._lock:
            pending, self._pending = self._pending, _Pending()
            if pending.episodes:
                means = recent_means(self._recent)
                self._go_on(mean_reward=means.mean_reward, mean_length=means.mean_length, win_rate=means.win_rate)
            return Batch(
                progress=self._progress,
                episodes=pending.episodes,
                updates=pending.updates,
                evaluations=pending.evaluations,
                checkpoints=pending.checkpoints,
                dropped_uris=pending.dropped_uris,
                began_at_env_steps=self._began_at_env_steps,
                facts=pending.facts,
            )

    def _flush(self, batch: Batch) -> None:
        if recording.flush(self._database, self._run.id, self._run.attempt, batch):
            self._stop.set()
        with self._lock:
            self._recorded_uris.update(checkpoint.uri for checkpoint in batch.checkpoints)
