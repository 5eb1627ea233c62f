"""What a new process pays for before it trains."""

import subprocess
import sys

STARTED = """
import sys
import rlsweep.driver.preload
print(*sorted({"torch", "torch._dynamo"} & sys.modules.keys()))
"""


def test_a_trial_that_the_fast_engine_trains_does_without_torchs_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", STARTED], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, ["torch"]), done.stderr
