"""Search spaces, and the plans that they give."""

from pathlib import Path
from typing import Any

from rlsweep.config.run import Mode
from rlsweep.planning.plan import Plan, make_plan
from rlsweep.spaces.flags import NO_FLAGS, SpaceFlags

BASE = {"agent_id": "a", "name": "A", "algorithm": "MaskablePPO", "version": 1}


def planned(*given: Any, sets: tuple[str, ...] = (), flags: SpaceFlags = NO_FLAGS, base_config: Any = None) -> Plan:
    """The plan of files, patterns and dicts; nothing is measured."""
    return make_plan(
        [str(each) if isinstance(each, Path) else each for each in given],
        base_config=base_config,
        overrides=sets,
        mode=Mode.SMOKE,
        episodes=None,
        total_timesteps=20_000,
        seeds=1,
        with_base=False,
        space=flags,
    )
