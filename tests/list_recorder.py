"""A `Recorder` without a database."""

from collections.abc import Callable, Mapping, Sequence

from rlsweep.runs import Checkpoint, Counters, Episode, Evaluation, Update


class ListRecorder:
    """Keeps the record in lists."""

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

    def begin_at(self, counters: Counters, recent: Sequence[Episode], env_steps: Callable[[], int]) -> None:
        """Keep counters and episodes."""
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
