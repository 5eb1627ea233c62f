"""The seam between one run and whoever keeps its record."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from rlsweep.runs import Checkpoint, Counters, Episode, Evaluation, Update


class Recorder(Protocol):
    """What `train` reports to. Calls are cheap and never wait for the network."""

    @property
    def stop_requested(self) -> bool:
        """Whether the run should end at the next step, by itself; read at every env step."""
        ...

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Take what is to be known of how the run is made."""
        ...

    def begin_at(self, counters: Counters, recent: Sequence[Episode]) -> None:
        """Take where this attempt begins, and the last episodes before that, as far as they are known."""
        ...

    def add_episodes(self, episodes: Sequence[Episode]) -> None:
        """Take episodes that ended, in order."""
        ...

    def add_update(self, update: Update) -> None:
        """Take the diagnostics of one policy update."""
        ...

    def add_evaluation(self, evaluation: Evaluation) -> None:
        """Take one evaluation."""
        ...

    def add_checkpoint(self, checkpoint: Checkpoint, *, dropped_uris: Sequence[str]) -> None:
        """Take a checkpoint whose file is complete; the files of `dropped_uris` are gone.

        A later checkpoint may come under the URI of one that was dropped, and is there then.
        """
        ...

    def is_recorded(self, uri: str) -> bool:
        """Whether whoever goes on with the run would find this checkpoint on record, were this process to die now."""
        ...


class ListRecorder:
    """Keeps the record in lists: for tests, the probe, and training without a database."""

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
        """Keep it in place of the dropped ones, and of one that lay where it lies."""
        gone = {*dropped_uris, checkpoint.uri}
        self.checkpoints = [kept for kept in self.checkpoints if kept.uri not in gone]
        self.checkpoints.append(checkpoint)

    def is_recorded(self, uri: str) -> bool:
        """Whether it is kept."""
        return any(kept.uri == uri for kept in self.checkpoints)
