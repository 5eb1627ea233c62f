"""What a new process pays for before it trains, and what its forks must not inherit."""

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
print(*sorted({"torch", "torch._dynamo", "ray", "boto3", "matplotlib", "pandas"} & sys.modules.keys()), *asked)
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
