"""Notes and tags of sweeps and runs, from the terminal and from Python."""

from abc import ABC, abstractmethod
from collections.abc import Iterable

from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep_or_run
from rlsweep.runs import TrainingRun
from rlsweep.settings import Settings
from rlsweep.store import annotations
from rlsweep.store.annotations import Annotation
from rlsweep.sweep_records import Sweep


def annotate_reference(
    reference: str, *, settings: Settings, note: str | None, tag: Iterable[str], untag: Iterable[str]
) -> Annotation:
    """Change the note, unless it is None, and the tags of a sweep or a run; return what is written then.

    Raises NotFoundError, InputError for a note or tags that cannot be stored.
    """
    database = database_of(settings)
    target = find_sweep_or_run(database, reference)
    return annotations.annotate(database, target, note=note, tag=tag, untag=untag)


class Annotated(ABC):
    """A sweep or a run on record, with its note and tags."""

    _settings: Settings

    @property
    @abstractmethod
    def record(self) -> Sweep | TrainingRun:
        """Everything that is known of it."""

    @property
    def note(self) -> str:
        """What was written about it; empty without a note."""
        return self.record.note

    @property
    def tags(self) -> tuple[str, ...]:
        """Its tags, in alphabetical order."""
        return self.record.tags

    def annotate(self, note: str | None = None, *, tag: Iterable[str] = (), untag: Iterable[str] = ()) -> None:
        """Replace the note, unless it is None, and add and remove tags; all may be read and changed in the browser too.

        Raises InputError for a note or tags that cannot be stored.
        """
        annotations.annotate(database_of(self._settings), self.record, note=note, tag=tag, untag=untag)
