"""Baseline: Ray Tune alone at its leanest, trials that do nothing on actors that are used again.

Arguments: trials, slots. Prints the seconds of `Tuner.fit`, and the megabytes of this process after it, as JSON.
"""

import json
import os
import sys
import tempfile
import time

import psutil

os.environ |= {"TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1", "RAY_AIR_NEW_OUTPUT": "0"}

import ray
from ray import tune
from ray.tune.search.basic_variant import BasicVariantGenerator


class Nothing(tune.Trainable):
    def setup(self, config: dict) -> None: ...

    def reset_config(self, new_config: dict) -> bool:
        return True

    def step(self) -> dict:
        return {"done": True}


trials, slots = (int(argument) for argument in sys.argv[1:3])
if "RAY_ADDRESS" in os.environ:
    ray.init(log_to_driver=False)
else:
    ray.init(address="local", num_cpus=slots, log_to_driver=False, include_dashboard=False)
with tempfile.TemporaryDirectory() as folder:
    began = time.perf_counter()
    tune.Tuner(
        tune.with_resources(Nothing, {"cpu": 1}),
        param_space={"number": None},
        tune_config=tune.TuneConfig(
            num_samples=trials,
            search_alg=BasicVariantGenerator(
                points_to_evaluate=[{"number": number} for number in range(trials)], max_concurrent=slots
            ),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=folder,
            checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=0, checkpoint_at_end=False),
            verbose=0,
        ),
    ).fit()
    seconds = time.perf_counter() - began
print(json.dumps({"seconds": seconds, "megabytes": psutil.Process().memory_info().rss / 1e6}))
