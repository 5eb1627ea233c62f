"""The first step of a member's attempt after it became a copy: its own checkpoint with the source's policy."""

from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.checkpoint_format import numbered_name
from rlsweep.config.run import RunConfig
from rlsweep.errors import CheckpointError
from rlsweep.population_records import CopyToMake
from rlsweep.storage import Location, locate


def make_copy(
    copy: CopyToMake, *, folder: Location, config: RunConfig, attempt: int, recorder: StoreRecorder
) -> Location:
    """Copy the source's checkpoint into the member's folder, put it on record, and return where it lies.

    If the process dies before it is on record, the next attempt makes the copy again. Raises CheckpointError if the
    source's file is not the one on record.
    """
    from rlsweep.training.checkpoint_copy import copy_checkpoint
    from rlsweep.training.checkpoints import checksum
    from rlsweep.training.progress import Progress

    source = locate(copy.source_uri)
    if checksum(source) != copy.source_sha256:
        raise CheckpointError(f"The checkpoint at {source} is damaged, and this run was to begin with a copy of it.")
    progress = Progress(
        episodes=copy.episodes,
        env_steps=copy.env_steps,
        updates=copy.updates,
        earlier_seconds=copy.seconds,
        best_mean_reward=copy.best_mean_reward,
    )
    to = folder / numbered_name(episodes=copy.episodes, env_steps=copy.env_steps, attempt=attempt)
    recorder.add_checkpoint(copy_checkpoint(source, to, progress=progress, config=config), dropped_uris=[])
    recorder.add_facts({"copied": str(source)})
    return to
