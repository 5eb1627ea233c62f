"""Baseline: a plain `for` loop over stock MaskablePPO, as many people write it. Arguments: trials, env steps."""

import sys

import gymnasium as gym
import numpy as np
import torch
from sb3_contrib import MaskablePPO
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3.common.monitor import Monitor


def all_legal(env: gym.Env) -> np.ndarray:
    return np.ones(2, dtype=bool)


def main() -> None:
    trials, steps = int(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(1)
    for seed in range(trials):
        env = Monitor(ActionMasker(gym.make("CartPole-v1"), all_legal))
        model = MaskablePPO(
            "MlpPolicy",
            env,
            learning_rate=[3e-4, 1e-3, 1e-4, 3e-4][seed % 4],
            n_steps=min(2048, steps),
            policy_kwargs={"net_arch": [256, 256]},
            seed=seed,
            device="cpu",
        )
        model.learn(steps)
        rewards = [episode["r"] for episode in model.ep_info_buffer or ()]
        print(f"trial {seed}: mean reward {np.mean(rewards):.1f}")


main()
