"""Signal handlers in the children of a process that handles SIGINT and SIGTERM itself."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from typing import Any

from rlsweep.places.interrupts import on_interrupt


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


def handlers_of_a_child(before: list[Any]) -> bytes:
    """Which handlers of SIGINT and SIGTERM a forked child has."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, b"those from before" if handlers() == before else b"others")
        os._exit(0)
    os.waitpid(child, 0)
    found = os.read(reading, 100)
    os.close(reading)
    os.close(writing)
    return found


def test_children_have_the_handlers_from_before() -> None:
    before = handlers()
    with on_interrupt(lambda: None), on_interrupt(lambda: None) as asked:
        assert handlers() != before
        assert handlers_of_a_child(before) == b"those from before"
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked.is_set(), "this process keeps its own"
    assert handlers_of_a_child(before) == b"those from before"


def test_a_pool_of_an_environment_can_be_ended() -> None:
    with on_interrupt(lambda: None):
        child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
        child.start()
        child.terminate()  # at once: the signal may come before the child has set its handlers
        child.join(10)
        exit_code = child.exitcode
        child.kill()
    assert exit_code == -signal.SIGTERM


WORKER = """
import os, signal, sys
from rlsweep import child_signals
signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
child_signals.set_in_children(child_signals.DEFAULT)
if os.fork() == 0:
    os.kill(os.getpid(), signal.SIGTERM)
print(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_children_of_a_ray_worker_do_not_have_its_handler() -> None:
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, check=True)
    assert done.stdout == f"{-signal.SIGTERM}\n"
