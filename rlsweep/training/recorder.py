"""The interface through which a training run reports to its record."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rlsweep.runs import Checkpoint, Counters, Episode, Evaluation, Update


class Recorder(Protocol):
    """Receives the events of `train`. Calls are cheap and never wait for the network."""

    @property
    def stop_requested(self) -> bool:
        """Whether the run should end at the next env step; read at every env step."""
        ...

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Record facts about how the run is executed."""
        ...

    def begin_at(self, counters: Counters, recent: Sequence[Episode]) -> None:
        """Record where this attempt begins, and the last episodes before that, as far as they are known."""
        ...

    def add_episodes(self, episodes: Sequence[Episode]) -> None:
        """Record ended episodes, in order."""
        ...

    def add_update(self, update: Update) -> None:
        """Record the diagnostics of one update."""
        ...

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Record one evaluation."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        """Record a checkpoint whose file is complete; the files of `dropped_uris` were deleted.

        A later checkpoint may have the URI of a deleted one.
        """
        ...

    def is_recorded(self, uri: str) -> bool:
        """Whether the checkpoint is stored, so that the next attempt finds it even if this process dies now."""
        ...


class ListRecorder:
    """Keeps the records in lists: for tests, the probe, and training without a database."""

    def __init__(self) -> None:
        self.stop_requested = False
        self.facts: dict[str, str] = {}
        self.began_at: Counters | None = None
        self.recent: list[Episode] = []
        self.episodes: list[Episode] = []
        self.updates: list[Update] = []
        self.evaluations: list[Evaluation] = []
        self.checkpoints: list[Checkpoint] = []

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Keep them."""
        self.facts.update(facts)

    def begin_at(self, counters: Counters, recent: Sequence[Episode]) -> None:
        """Keep both."""
        self.began_at, self.recent = counters, list(recent)

    def add_episodes(self, episodes: Sequence[Episode]) -> None:
        """Keep them."""
        self.episodes.extend(episodes)

    def add_update(self, update: Update) -> None:
        """Keep it."""
        self.updates.append(update)

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Keep it."""
        self.evaluations.append(evaluation)

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        """Keep it; remove dropped checkpoints and an earlier one with the same URI."""
        gone = {*dropped_uris, checkpoint.uri}
        self.checkpoints = [kept for kept in self.checkpoints if kept.uri not in gone]
        self.checkpoints.append(checkpoint)

    def is_recorded(self, uri: str) -> bool:
        """Whether it is kept."""
        return any(kept.uri == uri for kept in self.checkpoints)
