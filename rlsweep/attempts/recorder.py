"""Records a run in the database: training hands over records without waiting, and a thread sends them in batches."""

import logging
import threading
import time
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
"""Time between two transactions of one run; each takes 3 ms, 0.3% of a core, and a new connection takes more."""

LAST_SECONDS = 3.0
"""How long `send_last` retries while the database is unreachable."""

PATIENCE_SECONDS = 60.0
"""How long the start and the end of a run retry while the database is unreachable."""


@dataclass(slots=True)
class _Pending:
    """Records that wait for the next transaction."""

    episodes: list[Episode] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    dropped_uris: list[str] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)

    def followed_by(self, later: "_Pending") -> "_Pending":
        """Concatenate both, this one's records first. A rewritten file keeps its newest record and is not dropped."""
        rewritten = {checkpoint.uri for checkpoint in later.checkpoints}
        return _Pending(
            self.episodes + later.episodes,
            self.updates + later.updates,
            self.evaluations + later.evaluations,
            [checkpoint for checkpoint in self.checkpoints if checkpoint.uri not in rewritten] + later.checkpoints,
            [uri for uri in self.dropped_uris if uri not in rewritten] + later.dropped_uris,
            self.facts | later.facts,
        )


class StoreRecorder:
    """The `Recorder` of one attempt, which writes to the database. A context manager.

    Its thread also writes the run's heartbeat, even during a long update, and reads whether the run should stop; then
    it sets `stop`, which others may set too. While the database is unreachable, records go to `spool` and
    `stop_elsewhere` is called instead.

    The end of the context sends all remaining records. It raises StaleAttemptError if a newer attempt exists,
    StoreUnavailableError if the database stays unreachable (records stay in `spool`), and SpoolError if records could
    not be written to `spool`.
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
        on_spool: Callable[[int], None] = lambda _: None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        """on_record: recorded checkpoints of earlier attempts; on_spool: is told the bytes that wait in `spool`."""
        self._recorded_uris = {checkpoint.uri for checkpoint in on_record}
        self._spool = spool
        self._stop = stop
        self._database = database
        self._run = run
        self._stop_elsewhere = stop_elsewhere
        self._on_spool = on_spool
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._closing_seconds = patience_seconds
        self._is_away = False
        self._failure: Exception | None = None
        self._pending = _Pending()
        self._recent: deque[Episode] = deque(maxlen=RECENT_EPISODES)
        self._began_at_env_steps = 0
        self._began_at_updates = 0
        self._began = 0.0
        self._env_steps: Callable[[], int] = lambda: 0
        # the run's record shows the progress of the last attempt until this attempt has come as far
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
        """Whether the run should end at the next env step."""
        return self._stop.is_set()

    def begin_at(self, counters: Counters, recent: Sequence[Episode], env_steps: Callable[[], int]) -> None:
        """Record where this attempt begins, and the last episodes before that."""
        with self._lock:
            self._began_at_env_steps = counters.env_steps
            self._began_at_updates = counters.updates
            self._began, self._env_steps = time.monotonic(), env_steps
            self._recent.extend(recent)
            self._own = replace(
                self._own, episodes=counters.episodes, updates=counters.updates, env_steps=counters.env_steps
            )

    def overtake(self) -> None:
        """From now on, show this attempt's progress, even if an earlier attempt had come further."""
        with self._lock:
            self._follow_episodes()
            self._update_means()
            self._progress = self._own

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Add facts to the run's metadata."""
        with self._lock:
            self._pending.facts.update(facts)

    def add_episodes(self, episodes: Sequence[Episode]) -> None:
        """Record ended episodes, in order; at least one."""
        with self._lock:
            self._pending.episodes.extend(episodes)
            self._recent.extend(episodes)

    def add_update(self, update: Update) -> None:
        """Record the diagnostics of one update."""
        with self._lock:
            self._pending.updates.append(update)
            self._follow_episodes()
            self._go_on(updates=update.update, env_steps=update.env_steps, steps_per_second=update.steps_per_second)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Record one evaluation."""
        with self._lock:
            self._pending.evaluations.append(evaluation)

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        """Record a checkpoint whose file is complete; the files of `dropped_uris` were deleted."""
        with self._lock:
            written = _Pending(checkpoints=[checkpoint], dropped_uris=list(dropped_uris))
            self._pending = self._pending.followed_by(written)

    def drop_checkpoints(self, uris: Sequence[str]) -> None:
        """Record that these files were deleted."""
        with self._lock:
            self._pending.dropped_uris.extend(uris)

    def is_recorded(self, uri: str) -> bool:
        """Whether the checkpoint is stored in the database."""
        with self._lock:
            return uri in self._recorded_uris

    def send_last(self, facts: Mapping[str, str]) -> None:
        """Add facts and send all records, because the process ends now; what cannot be sent stays in the spool."""
        self.add_facts(facts)
        self._closing_seconds = LAST_SECONDS
        self._closing.set()
        self._thread.join()

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

    def _follow_episodes(self) -> None:
        """Bring the progress to the last episode added; not done for each, of which there may be thousands a second."""
        if self._pending.episodes:
            last = self._pending.episodes[-1]
            self._go_on(episodes=last.episode, env_steps=max(last.env_steps, self._own.env_steps))

    def _go_on(self, **figures: Any) -> None:
        self._own = replace(self._own, **figures)
        if self._own.env_steps >= self._progress.env_steps:
            self._progress = self._own

    @property
    def _shown(self) -> Progress:
        """The progress with the env steps since the last record: a rollout, or an episode, may take minutes.

        The speed is that of this attempt so far until an update has measured it.
        """
        progress, env_steps = self._progress, self._env_steps()
        if env_steps <= progress.env_steps:
            return progress
        pace = progress.steps_per_second
        if self._own.updates == self._began_at_updates:
            pace = (env_steps - self._began_at_env_steps) / max(time.monotonic() - self._began, 1e-3)
        return replace(progress, env_steps=env_steps, steps_per_second=pace)

    def _update_means(self) -> None:
        if self._recent:
            means = recent_means(self._recent)
            self._go_on(mean_reward=means.mean_reward, mean_length=means.mean_length, win_rate=means.win_rate)

    def _send(self) -> None:
        try:
            while not self._closing.wait(jittered(FLUSH_SECONDS)):
                self._send_or_keep()
            retry_while_away(self._send_or_keep_and_say, seconds=self._closing_seconds, until=self._stop_elsewhere)
        except Exception as error:  # noqa: BLE001 - raised again at the end of the context
            self._failure = error
            self._stop.set()

    def _send_or_keep(self) -> None:
        """Send pending records. If the database is unreachable, spool them and check elsewhere whether to stop."""
        try:
            self._send_or_keep_and_say()
        except StoreUnavailableError as error:
            if not self._is_away:
                self._is_away = True
                logger.warning("run %s writes its records to %s for now: %s", self._run.id, self._spool.path, error)
            if self._stop_elsewhere():
                self._stop.set()

    def _send_or_keep_and_say(self) -> None:
        """Send spooled and new records, in order; spool them and raise StoreUnavailableError if that fails."""
        batch = self._take_pending()
        try:
            if not self._spool.is_empty:
                for waiting in self._spool.batches():
                    self._flush(waiting)
                self._spool.clear()
                self._on_spool(0)
            self._flush(batch)
            self._is_away = False
        except StoreUnavailableError:
            if batch.has_records:
                self._spool.keep(batch)
            self._on_spool(self._spool.bytes)
            raise

    def _take_pending(self) -> Batch:
        with self._lock:
            self._follow_episodes()
            pending, self._pending = self._pending, _Pending()
            if pending.episodes:
                self._update_means()
            return Batch(
                progress=self._progress if self._closing.is_set() else self._shown,
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
