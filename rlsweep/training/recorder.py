"""The interface through which a training run reports to its record."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from rlsweep.runs import Checkpoint, Counters, Episode, Evaluation, Update

WAITED_FOR = "waited_for"
"""The fact that says what the run waited for when its environment last did not answer for long."""


class Recorder(Protocol):
    """Receives the events of `train`. Calls are cheap and never wait for the network."""

    @property
    def stop_requested(self) -> bool:
        """Whether the run should end at the next env step; read at every env step."""
        ...

    def add_facts(self, facts: Mapping[str, str]) -> None:
        """Record facts about how the run is executed."""
        ...

    def begin_at(self, counters: Counters, recent: Sequence[Episode], env_steps: Callable[[], int]) -> None:
        """Record where this attempt begins, and the last episodes before that, as far as they are known.

        env_steps: gives the env steps of the run so far; any thread may call it, at any time
        """
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
