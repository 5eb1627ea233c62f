"""The samplers by their names; each is imported where it draws."""

from importlib import import_module
from typing import Any

from rlsweep.config.nearest import suggestion
from rlsweep.config.problems import shown
from rlsweep.spaces.samplers.sampler import Sampler
from rlsweep.spaces.space import SearchSpace

SAMPLERS = {
    "grid": "GridSampler", "random": "RandomSampler", "sobol": "SobolSampler", "tpe": "TpeSampler",
    "cmaes": "CmaesSampler",
}  # fmt: skip
"""Name, which is also that of the module, and class."""

_OTHER_NAMES = {"bayes": "tpe", "bayesian": "tpe", "qmc": "sobol", "halton": "sobol", "lhs": "sobol"}


def sampler_problem(name: Any) -> str | None:
    """What is wrong with the name of a sampler, if anything is."""
    known = f"unknown sampler {shown(name)}, known are {', '.join(SAMPLERS)}"
    if not isinstance(name, str):
        return known
    ours = _OTHER_NAMES.get(name, name)
    if ours not in SAMPLERS:
        return f"{known}{suggestion(name, SAMPLERS)}"
    return None if ours == name else f"unknown sampler {shown(name)}; write {ours} instead"


def make_sampler(space: SearchSpace, name: str | None = None) -> Sampler:
    """The space's sampler, or the one of this name, before its first draw."""
    name = name or space.sampler
    module = import_module(f"rlsweep.spaces.samplers.{name}")
    sampler: Sampler = getattr(module, SAMPLERS[name])(space)
    return sampler
