"""rlsweep: test hyperparameter variants with short runs before a long one.

The Python API, for notebooks and scripts; every name is loaded when it is first used, so that `import rlsweep` is fast.

>>> import rlsweep
>>> for sweep in rlsweep.sweeps(limit=3):  # the newest first
...     print(sweep.name, sweep.status)
calibration completed
>>> sweep = rlsweep.sweep("calibration")
>>> sweep.report().configs[0].name  # the best
'ppo_agent_lr_high'
>>> sweep.episodes().to_pandas().groupby("config_short_name").reward.mean().round(1)
config_short_name
ppo_agent_lr_high    0.4
ppo_agent_v1         0.1
Name: reward, dtype: float64
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rlsweep.version import __version__

if TYPE_CHECKING:
    from rlsweep.api.driving import plan, resume, retry, submit
    from rlsweep.api.policy import evaluate, load_policy
    from rlsweep.api.promote import promote
    from rlsweep.api.racing import confirm, race
    from rlsweep.api.runs import Run, run
    from rlsweep.api.sweeps import Sweep, sweep, sweeps
    from rlsweep.api.tournament import tournament
    from rlsweep.api.training import train
    from rlsweep.settings import Settings

__all__ = [
    "Run",
    "Settings",
    "Sweep",
    "__version__",
    "confirm",
    "evaluate",
    "load_policy",
    "plan",
    "promote",
    "race",
    "resume",
    "retry",
    "run",
    "submit",
    "sweep",
    "sweeps",
    "tournament",
    "train",
]

_MODULES = {
    "rlsweep.api.driving": ("plan", "resume", "retry", "submit"),
    "rlsweep.api.policy": ("evaluate", "load_policy"),
    "rlsweep.api.promote": ("promote",),
    "rlsweep.api.racing": ("confirm", "race"),
    "rlsweep.api.runs": ("Run", "run"),
    "rlsweep.api.sweeps": ("Sweep", "sweep", "sweeps"),
    "rlsweep.api.tournament": ("tournament",),
    "rlsweep.api.training": ("train",),
    "rlsweep.settings": ("Settings",),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

if not TYPE_CHECKING:  # a checker that saw it would let any name pass

    def __getattr__(name: str) -> Any:
        """Load a name of the API when it is first used."""
        if name not in _MODULE_OF:
            raise AttributeError(f"module 'rlsweep' has no attribute {name!r}")
        value = getattr(import_module(_MODULE_OF[name]), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    """The names of the API, loaded or not."""
    return sorted({*globals(), *__all__})
