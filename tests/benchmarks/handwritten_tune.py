"""Baseline: the usual hand-written Ray Tune script around stock MaskablePPO. Arguments: trials, env steps, slots."""

import os
import sys

import ray
from ray import tune


def train(config: dict) -> None:
    import gymnasium as gym
    import numpy as np
    import torch
    from sb3_contrib import MaskablePPO
    from sb3_contrib.common.wrappers import ActionMasker
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.monitor import Monitor

    class Report(BaseCallback):
        def _on_step(self) -> bool:
            return True

        def _on_rollout_end(self) -> None:
            rewards = [episode["r"] for episode in self.model.ep_info_buffer or ()]
            tune.report({"mean_reward": float(np.mean(rewards)), "env_steps": self.num_timesteps})

    torch.set_num_threads(1)
    env = Monitor(ActionMasker(gym.make("CartPole-v1"), lambda _: np.ones(2, dtype=bool)))
    model = MaskablePPO(
        "MlpPolicy",
        env,
        learning_rate=config["learning_rate"],
        n_steps=min(2048, config["steps"]),
        policy_kwargs={"net_arch": [256, 256]},
        seed=config["seed"],
        device="cpu",
    )
    model.learn(config["steps"], callback=Report())


def main() -> None:
    trials, steps, slots = (int(argument) for argument in sys.argv[1:4])
    if "RAY_ADDRESS" in os.environ:
        ray.init()
    else:
        ray.init(address="local", num_cpus=slots)
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={
            "learning_rate": tune.grid_search([3e-4, 1e-3, 1e-4, 5e-4][: min(4, trials)]),
            "seed": tune.grid_search(list(range(max(1, trials // 4)))),
            "steps": steps,
        },
        tune_config=tune.TuneConfig(metric="mean_reward", mode="max"),
    )
    print(tuner.fit().get_best_result().config)


main()
