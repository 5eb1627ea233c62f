"""The memory of the measuring process, of its environments' processes, and on its GPU."""

import os
import resource
import shutil
import subprocess
from pathlib import Path

import psutil
import torch
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv

from rlsweep.planning.estimate import GpuMemory

GPU_CONTEXT_BYTES = 750_000_000
"""What CUDA itself takes of a GPU for each process, about, where the driver does not say what this one takes."""


def gpu_memory(device: torch.device) -> GpuMemory:
    """The GPU and this process's memory on it; torch's allocator never frees memory, so that is the peak."""
    properties = torch.cuda.get_device_properties(device)
    taken = _taken_by_this_process() or torch.cuda.max_memory_reserved(device) + GPU_CONTEXT_BYTES
    return GpuMemory(name=properties.name, total_bytes=properties.total_memory, per_trial_bytes=taken)


def _taken_by_this_process() -> int | None:
    """Bytes of GPU memory of this process, with CUDA's; None if the driver reports none, as in some containers."""
    if (nvidia_smi := shutil.which("nvidia-smi")) is None:
        return None
    question = [nvidia_smi, "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"]
    answer = subprocess.run(question, capture_output=True, text=True, check=False).stdout
    processes = dict(line.split(", ") for line in answer.splitlines() if line.count(", ") == 1)
    mebibytes = processes.get(str(os.getpid()), "")
    return int(mebibytes) * 1024**2 if mebibytes.isdecimal() else None


def peak_memory() -> int:
    """Peak memory of this process in bytes. `getrusage` is only the fallback: it may include the parent's peak."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) * 1024


def memory_of_children(env: VecEnv) -> int:
    """Memory in bytes of an environment's processes and their fork server; on Linux, shared memory counts once."""
    if not isinstance(env.unwrapped, SubprocVecEnv):
        return 0
    held = [process.memory_full_info() for process in psutil.Process().children(recursive=True)]
    return sum(getattr(each, "pss", each.uss) for each in held)
