"""Generalised advantage estimates, in a compiled loop."""

from rlsweep.training.fast.compiled import Floats, compiled


@compiled
def advantages(
    rewards: Floats,
    values: Floats,
    episode_starts: Floats,
    last_values: Floats,
    last_dones: Floats,
    gamma: float,
    decay: float,
    result: Floats,
) -> None:
    """Generalised advantage estimates (Schulman et al. 2016), as SB3's `RolloutBuffer.compute_returns_and_advantage`.

    rewards, values, episode_starts, result (steps, envs); last_values, last_dones (envs,); decay: gamma times lambda
    """
    steps, envs = rewards.shape
    one = rewards.dtype.type(1)
    for env in range(envs):
        going_on = one - last_dones[env]
        next_value = last_values[env]
        advantage = rewards.dtype.type(0)
        for step in range(steps - 1, -1, -1):
            delta = rewards[step, env] + gamma * next_value * going_on - values[step, env]
            advantage = delta + decay * going_on * advantage
            result[step, env] = advantage
            going_on = one - episode_starts[step, env]
            next_value = values[step, env]
