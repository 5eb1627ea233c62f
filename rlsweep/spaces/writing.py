"""A drawn config as a complete agent config."""

from collections.abc import Mapping
from typing import Any

from rlsweep.config.given import GivenConfig
from rlsweep.config.layers import with_value
from rlsweep.config.promotion import variant_of
from rlsweep.spaces.search import DrawnConfig
from rlsweep.spaces.space import SearchSpace


def written(space: SearchSpace, drawn: DrawnConfig, base: Mapping[str, Any], base_name: str) -> GivenConfig:
    """The base config's data with the drawn values, and with a name of its own."""
    data = dict(base)
    for key, value in drawn.values.items():
        data = with_value(data, key, value)
    own = variant_of(base_name, drawn.variant)
    data |= {"name": own, "sweep_variant": drawn.variant, "description": f"Config {drawn.number} of {space.title}"}
    return GivenConfig(f"{space.source}: config {drawn.number}", data)
