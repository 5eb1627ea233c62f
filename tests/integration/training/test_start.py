"""What a new process imports before it trains, and what its forks must not inherit."""

import subprocess
import sys

STARTED = """
import os
import sys
import threading

import torch

asked = []
for name in ("is_available", "device_count", "init"):
    setattr(torch.cuda, name, lambda *_, name=name: asked.append(name) or 0)
import rlsweep.driver.preload
heavy = {"torch", "torch._dynamo", "ray", "boto3", "matplotlib", "pandas", "scipy.linalg"}
print(*sorted(heavy & sys.modules.keys()), *asked)
if os.fork() == 0:
    parameter = torch.ones(1, requires_grad=True)
    (parameter * 2).backward()
    print(threading.active_count(), parameter.grad.item(), flush=True)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_preloading_leaves_out_the_compiler_ray_and_gpus_and_can_be_forked() -> None:
    """A fork can use no GPU if its parent has asked for GPUs. Torch must compute gradients in it."""
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["torch", "1 2.0"]


LOOPS_OF_AN_ENVIRONMENT = """
import sys
import rlsweep.driver.preload
assert "scipy" not in sys.modules
import numba
import numpy as np
from numba.np import arraymath

@numba.njit
def products(a, b):
    return np.dot(a, b), np.convolve(a, b)[1]

print(arraymath._HAVE_BLAS, *products(np.array([1.0, 2.0]), np.array([3.0, 5.0])), "scipy.linalg" in sys.modules)
"""


def test_loops_of_an_environment_have_blas_though_the_engine_needs_none() -> None:
    done = subprocess.run([sys.executable, "-c", LOOPS_OF_AN_ENVIRONMENT], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["True", "13.0", "11.0", "True"], done.stderr


TRAINABLE = """
import sys
from ray.tune.trainable import trainable
from rlsweep.driver.trainable import TrialTrainable

class Idle(TrialTrainable):
    def setup(self, config): pass
    def is_actor(self): return True

Idle()
print("IPython" in sys.modules)
trainable.disable_ipython()
print("IPython" in sys.modules)
"""


def test_a_worker_does_not_import_ipython_for_tune() -> None:
    done = subprocess.run([sys.executable, "-c", TRAINABLE], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["False", "True"], done.stderr
