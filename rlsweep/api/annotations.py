"""Notes and tags of sweeps and runs, from the terminal and from Python."""

from collections.abc import Iterable

from rlsweep.api.opening import database_of
from rlsweep.api.references import find_sweep_or_run
from rlsweep.settings import Settings
from rlsweep.store import annotations
from rlsweep.store.annotations import Annotation


def annotate_reference(
    reference: str, *, settings: Settings, note: str | None, tag: Iterable[str], untag: Iterable[str]
) -> Annotation:
    """Change the note, unless it is None, and the tags of a sweep or a run; return what is written then.

    Raises NotFoundError, InputError for a note or tags that cannot be stored.
    """
    database = database_of(settings)
    target = find_sweep_or_run(database, reference)
    return annotations.annotate(database, target, note=note, tag=tag, untag=untag)
