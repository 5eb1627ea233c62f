"""Well-known Gymnasium ids that other packages register: what to install, and how to write the id.

Such a package registers its environments when it is imported. `module:Id-v0` imports the module first.
"""

import importlib.util
import re
import shlex
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One package with environments.

    name: as `pip install` takes it
    module: registers the environments when it is imported
    ids: matches their ids, those of earlier packages too
    current: the id that the package registers today, as `re.Match.expand` takes it
    """

    name: str
    module: str
    ids: re.Pattern[str]
    current: str


_ATARI = (
    "Asteroids|BeamRider|Boxing|Breakout|Enduro|Freeway|MontezumaRevenge|MsPacman|Pong|Qbert|Seaquest|SpaceInvaders"
)
_ROBOTS = "Fetch|HandReach|HandManipulate|AdroitHand|FrankaKitchen|PointMaze_|AntMaze_"
_ROADS = "highway|merge|roundabout|parking|intersection|racetrack|exit|lane-keeping|two-way|u-turn"
_SAME = r"\g<0>"

PACKAGES: tuple[Package, ...] = tuple(
    Package(name=name, module=module, ids=re.compile(ids), current=current)
    for name, module, ids, current in (
        ("ale-py", "ale_py", r"(\w+?)(Deterministic|-ram\w*)-v\d", r"ALE/\1-v5"),
        ("ale-py", "ale_py", rf"ALE/.+|\w+NoFrameskip-v\d|({_ATARI})-v\d", _SAME),
        ("minigrid", "minigrid", r"(MiniGrid|BabyAI)-.+", _SAME),
        ("miniworld", "miniworld", r"MiniWorld-.+", _SAME),
        ("pybullet_envs_gymnasium", "pybullet_envs_gymnasium", r"\w+BulletEnv-v\d", _SAME),
        ("panda-gym", "panda_gym", r"(Panda(Reach|Slide|Push|PickAndPlace|Stack|Flip)\w*)-v\d", r"\1-v3"),
        ("gymnasium-robotics", "gymnasium_robotics", rf"({_ROBOTS})\w*-v\d", _SAME),
        ("highway-env", "highway_env", rf"({_ROADS})(-[\w-]+)?-v\d", _SAME),
        ("flappy-bird-gymnasium", "flappy_bird_gymnasium", r"FlappyBird-v\d", _SAME),
        ("vizdoom", "vizdoom.gymnasium_wrapper", r"Vizdoom.+", _SAME),
        ("shimmy[dm-control]", "shimmy", r"dm_control/.+", _SAME),
    )
)
"""In matching order."""


def package_advice(environment_id: str) -> str | None:
    """Return which package registers a well-known id, and how to write it; None for other ids.

    >>> package_advice("PongDeterministic-v4")
    'package ale-py registers it. Install it (pip install ale-py), and write ale_py:ALE/Pong-v5.'
    """
    for package in PACKAGES:
        if match := package.ids.fullmatch(environment_id):
            written = f"write {package.module}:{match.expand(package.current)}"
            if importlib.util.find_spec(package.module.partition(".")[0]) is not None:
                return f"package {package.name} registers it when it is imported. To import it, {written}."
            return f"package {package.name} registers it. Install it ({_command(package.name)}), and {written}."
    return None


def installation(module: str) -> str:
    """Return how to get a module that is not there, as a clause."""
    names = {each.module.partition(".")[0]: each.name for each in PACKAGES}
    command = f" ({_command(names[module])})" if module in names else ""
    return f"install it{command}, or put its folder on PYTHONPATH"


def _command(package: str) -> str:
    return f"pip install {shlex.quote(package)}"
