"""Commands under the kernel's limits, read from stdin one a line: each runs in a fork of this process, which has
imported what they need.

A request has the keys folder, environ and arguments; the answer, also one line of JSON, code, stdout and stderr.
"""

import json
import os
import resource
import signal
import sys
import tempfile
import traceback
from typing import Any

from rlsweep.cli import main
from rlsweep.config import agent, loading, patterns, reading, run  # noqa: F401 - imported once for all

CPU_SECONDS = 4
HANG_SECONDS = 60
"""After this time a command is taken to hang, and killed; it waits for nothing."""

ADDRESS_SPACE_BYTES = 2**29


def answer(request: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            os.dup2(out.fileno(), 1)
            os.dup2(err.fileno(), 2)
            os._exit(run_limited(request))
        _, status = os.waitpid(child, 0)
        out.seek(0)
        err.seek(0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "stdout": out.read().decode(),
            "stderr": err.read().decode(),
        }


def run_limited(request: dict[str, Any]) -> int:
    os.chdir(request["folder"])
    signal.alarm(HANG_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    try:
        code = main(request["arguments"], request["environ"])
    except BaseException:  # noqa: BLE001 - told by the code
        traceback.print_exc()
        code = 70
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line))), flush=True)
