"""Baseline: bare MaskablePPO on connect_four, in one process.

Arguments: engine (stock or fast), runs, env steps each, file to wait for, this process's number. Prints the seconds
since the epoch at which learning began and ended; imports are over before that.
"""

import sys
import time
from pathlib import Path

import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.training.fast.ppo import FastMaskablePPO


def main() -> None:
    algorithm = {"stock": MaskablePPO, "fast": FastMaskablePPO}[sys.argv[1]]
    runs, steps, gate = int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    torch.set_num_threads(1)
    models = [
        algorithm(
            "MlpPolicy",
            DummyVecEnv([lambda seed=seed: make_env(EnvironmentSpec(), seed=seed)]),
            n_steps=min(2048, steps),
            ent_coef=0.01,
            policy_kwargs={"net_arch": [256, 256]},
            seed=seed,
            device="cpu",
        )
        for seed in range(runs)
    ]
    Path(f"{gate}.ready-{sys.argv[5]}").touch()
    while not gate.exists():
        time.sleep(0.01)
    began = time.time()
    for model in models:
        model.learn(steps)
    print(began, time.time())


main()
