"""Import the features extractor that a config names."""

from stable_baselines3.common.torch_layers import BaseFeaturesExtractor

from rlsweep.envs.importing import find_named
from rlsweep.errors import ConfigError


def load_extractor(reference: str) -> type[BaseFeaturesExtractor]:
    """Import the `module:Class` of `network.features_extractor`.

    Raises EnvironmentSpecError if that fails, ConfigError if the class does not extend SB3's.
    """
    found = find_named(reference, f"network.features_extractor {reference!r}")
    if not (isinstance(found, type) and issubclass(found, BaseFeaturesExtractor)):
        raise ConfigError(
            f"network.features_extractor {reference!r}: must be a subclass of "
            "stable_baselines3.common.torch_layers.BaseFeaturesExtractor"
        )
    return found
