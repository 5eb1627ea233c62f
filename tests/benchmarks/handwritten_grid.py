"""Baseline: the usual hand-written Ray Tune script, stock MaskablePPO on connect_four, every config with five seeds.

Arguments: env steps, seeds, slots. Prints the config with the best mean of the last 100 training episodes.
"""

import sys
from collections import defaultdict

import ray
from raced_configs import FIRST, OTHERS, agent_of
from ray import tune


def train(config: dict) -> None:
    import numpy as np
    import torch
    from sb3_contrib import MaskablePPO
    from stable_baselines3.common.monitor import Monitor

    from rlsweep.config.training import EnvironmentSpec
    from rlsweep.envs import make_env

    torch.set_num_threads(1)
    agent = agent_of((FIRST | OTHERS)[config["name"]])
    model = MaskablePPO(
        "MlpPolicy",
        Monitor(make_env(EnvironmentSpec(id="open_spiel/connect_four"), seed=config["seed"])),
        learning_rate=agent["learning_rate"],
        gamma=agent["gamma"],
        n_steps=agent["n_steps"],
        batch_size=agent["batch_size"],
        n_epochs=agent["n_epochs"],
        ent_coef=agent["ppo"]["ent_coef"],
        clip_range=agent["ppo"]["clip_range"],
        policy_kwargs={"net_arch": agent["network"]["net_arch"]},
        seed=config["seed"],
        device="cpu",
    )
    model.learn(config["steps"])
    tune.report({"mean_reward": float(np.mean([episode["r"] for episode in model.ep_info_buffer or ()]))})


def main() -> None:
    steps, seeds, slots = (int(argument) for argument in sys.argv[1:4])
    ray.init(address="local", num_cpus=slots)
    tuner = tune.Tuner(
        tune.with_resources(train, {"cpu": 1}),
        param_space={
            "name": tune.grid_search(list(FIRST | OTHERS)),
            "seed": tune.grid_search(list(range(seeds))),
            "steps": steps,
        },
        tune_config=tune.TuneConfig(metric="mean_reward", mode="max"),
    )
    scores = defaultdict(list)
    for result in tuner.fit():
        scores[result.config["name"]].append(result.metrics["mean_reward"])
    print("PICK", max(scores, key=lambda name: sum(scores[name])))


main()
