"""Run a command, and count the CPU seconds of everything that it starts. Arguments: a folder to run in, the command.

Prints JSON: when the command began and ended, in seconds since the epoch, and the CPU seconds of all its processes,
whose end it waits for. Linux only.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
PATIENCE_S = 30


def main() -> None:
    # processes whose parents end first become children of this one, so that their time is counted
    assert ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    began = time.time()
    done = subprocess.run(sys.argv[2:], cwd=sys.argv[1], capture_output=True, text=True, check=False)
    ended = time.time()
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.02)
        except ChildProcessError:
            break
    else:
        raise AssertionError(f"processes of the command live on {PATIENCE_S} s after its end")
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"began": began, "ended": ended, "cpu": usage.ru_utime + usage.ru_stime}))


main()
