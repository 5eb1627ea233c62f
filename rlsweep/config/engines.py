"""Which hyperparameters only the stock engine supports."""

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS


def keys_for_stock(agent: AgentConfig) -> tuple[str, ...]:
    """The given dotted keys because of which an algorithm with a fast engine trains with the stock one."""
    if ALGORITHMS[agent.algorithm].fast_target is None:
        return ()
    found = {
        "network.policy": agent.network.policy != "MlpPolicy",
        "network.features_extractor": agent.network.features_extractor is not None,
        "optimizer.weight_decay": agent.optimizer.weight_decay != 0,
        "ppo.use_sde": agent.ppo.use_sde and "ppo.use_sde" in ALGORITHMS[agent.algorithm].hyperparameters,
    }
    return tuple(key for key, is_used in found.items() if is_used)
