"""The format of a checkpoint: one SB3 `.zip` file with additional members of rlsweep, and the files' names."""

import re
from dataclasses import dataclass

SUFFIX = ".zip"

BEST_NAME = f"best{SUFFIX}"
"""Checkpoint of the best evaluation so far; a better one replaces it."""

UNFINISHED_SUFFIX = ".part"
"""Suffix of a file that is still being written."""

POLICY_MEMBER = "policy.pth"
"""SB3's member with the policy's weights: tensors by name."""

SETTINGS_MEMBER = "data"
"""SB3's member with the model's attributes: JSON that contains pickles."""

RECORD_MEMBER = "rlsweep.json"
"""rlsweep's member with the run's progress and config as JSON, and OBSERVATIONS_KEY if there is a VecNormalize."""

OBSERVATIONS_KEY = "observations"
"""Key with the scaling of the policy's observations: null, or mean, variance, epsilon and clip of a VecNormalize."""

STATISTICS_MEMBER = "vecnormalize.pkl"
"""rlsweep's member with the pickled VecNormalize, if there is one; `VecNormalize.load` reads the unpacked file."""

SNAPSHOT_MEMBER = "boundary.pkl"
"""rlsweep's member with the run's pickled state between two rollouts, if the run can be resumed exactly."""

OPPONENTS_MEMBER = "opponents.npz"
"""rlsweep's member with the earlier policies that a run with self-play plays against: NumPy arrays, no pickles."""

_NUMBERED_NAME = re.compile(r"episode_\d+_step_(?P<env_steps>\d+)(_attempt_(?P<attempt>\d+))?\.zip")


@dataclass(frozen=True, kw_only=True, slots=True)
class NumberedName:
    """Parts of a numbered checkpoint's name: the run's env steps so far, and the attempt that wrote it."""

    env_steps: int
    attempt: int


def numbered_name(*, episodes: int, env_steps: int, attempt: int) -> str:
    """Return the name of a numbered checkpoint; a name of the first attempt does not contain the attempt."""
    suffix = "" if attempt == 1 else f"_attempt_{attempt}"
    return f"episode_{episodes}_step_{env_steps}{suffix}{SUFFIX}"


def parse_numbered_name(name: str) -> NumberedName | None:
    """Parse a file name; return None if it is not a numbered checkpoint's name."""
    if (match := _NUMBERED_NAME.fullmatch(name)) is None:
        return None
    return NumberedName(env_steps=int(match["env_steps"]), attempt=int(match["attempt"] or 1))
