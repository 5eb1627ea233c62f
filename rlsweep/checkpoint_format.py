"""The format of a checkpoint: one SB3 `.zip` a file, with members of ours beside SB3's own, and the files' names."""

import re
from dataclasses import dataclass

SUFFIX = ".zip"

BEST_NAME = f"best{SUFFIX}"
"""The file of the policy that was evaluated best; each better one is written in its place."""

UNFINISHED_SUFFIX = ".part"
"""Added to a file's name while the file is written."""

POLICY_MEMBER = "policy.pth"
"""SB3's: the policy's weights, tensors by name."""

SETTINGS_MEMBER = "data"
"""SB3's: the model's attributes, as JSON that holds pickles."""

RECORD_MEMBER = "rlsweep.json"
"""Ours: the run's progress and config, and OBSERVATIONS_KEY where there is a VecNormalize, as JSON."""

OBSERVATIONS_KEY = "observations"
"""Of the record: how the policy's observations were scaled. Null, or the four numbers of a VecNormalize."""

STATISTICS_MEMBER = "vecnormalize.pkl"
"""Ours: the VecNormalize, pickled, where there is one; unpacked, `VecNormalize.load` reads it."""

SNAPSHOT_MEMBER = "boundary.pkl"
"""Ours: the run's state between two rollouts, pickled, where the run can be resumed exactly."""

_NUMBERED_NAME = re.compile(r"episode_\d+_step_(?P<env_steps>\d+)(_attempt_(?P<attempt>\d+))?\.zip")


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberedName:
    """What a numbered checkpoint's name says: env steps of the run until then, and the attempt that wrote it."""

    env_steps: int
    attempt: int


def numbered_name(*, episodes: int, env_steps: int, attempt: int) -> str:
    """Give the name of a numbered checkpoint; the first attempt's has no attempt in it."""
    suffix = "" if attempt == 1 else f"_attempt_{attempt}"
    return f"episode_{episodes}_step_{env_steps}{suffix}{SUFFIX}"


def parse_numbered_name(name: str) -> NumberedName | None:
    """Read a file's name; None where it is not a numbered checkpoint's."""
    if (match := _NUMBERED_NAME.fullmatch(name)) is None:
        return None
    return NumberedName(env_steps=int(match["env_steps"]), attempt=int(match["attempt"] or 1))
