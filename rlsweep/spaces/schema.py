"""Whether agent configs accept all values of a dimension."""

from typing import Any

from rlsweep.config.agent import AgentConfig
from rlsweep.config.layers import with_value
from rlsweep.config.problems import check
from rlsweep.spaces.dimensions import Dimension, Kind, inside, probes

_REST: dict[str, Any] = {"agent_id": "agent", "name": "agent", "algorithm": "PPO", "version": 1}
_WHOLE_INSTEAD = {Kind.UNIFORM: Kind.INTEGER, Kind.LOG: Kind.LOG_INTEGER}


def refused_values(dimension: Dimension) -> list[str]:
    """The values that an agent config refuses, each as a problem behind the part of the key that the value has.

    A range is accepted if both ends are, unless it has fractions and the key is a whole number: every key allows all
    values between two that it allows.
    """
    instead = _WHOLE_INSTEAD.get(dimension.kind)
    if instead is not None and any(": must be a whole" in each for each in _problems(dimension, inside(dimension))):
        return [f": must be a whole number; write {{{instead}: [{dimension.low:g}, {dimension.high:g}]}}"]
    return list(dict.fromkeys(each for value in probes(dimension) for each in _problems(dimension, value)))


def _problems(dimension: Dimension, value: Any) -> list[str]:
    _, problems = check(AgentConfig, with_value(_REST, dimension.key, value))
    return [f"{key.removeprefix(dimension.key)}: {problem}" for key, problem in problems]
