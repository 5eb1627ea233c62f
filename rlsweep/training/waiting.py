"""Saying what is waited for while an environment does not answer.

A thread looks once a second at what the watched thread executes. So an env step costs nothing more.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

import gymnasium as gym

from rlsweep.envs.user_code import OURS, is_users_own
from rlsweep.threads import in_thread
from rlsweep.training.environment_processes import EnvironmentProcesses

logger = logging.getLogger(__name__)

FIRST_SECONDS = 10.0
"""How long a call of the environment may take before that is said."""

PAUSES = (50.0, 540.0)
"""Seconds after the first and after each later time that it was said, until it is said again."""

LOOK_SECONDS = 1.0
"""Time between two looks."""

_CALLS = {
    "step": "a step of environment {}",
    "reset": "the reset of environment {}",
    "action_masks": "the action mask of environment {}",
    "close": "the closing of environment {}",
}
_CALLS_OF_PROCESSES = {
    "__init__": "environment {} to be made in its processes",
    "step_wait": "a step of environment {} in its processes",
    "reset": "the reset of environment {} in its processes",
    "env_method": "environment {} in its processes",
    "close": "the closing of environment {} in its processes",
}


@contextmanager
def report_waiting(environment_id: str, say: Callable[[str], None] = lambda _: None) -> Iterator[None]:
    """While the context lasts, say what of the environment this thread waits for, if one call takes FIRST_SECONDS.

    It is logged as a warning and passed to `say`, both in another thread: `a step of environment 'x:X', for 10 s (x.py,
    line 3)`.
    """

    def tell(text: str) -> None:
        logger.warning("Waiting for %s.", text)
        say(text)

    watch = _Watch(threading.get_ident(), f"'{environment_id}'", tell)
    with in_thread(watch.run, name="waiting"):
        yield


class _Watch:
    """Looks at one thread."""

    def __init__(self, thread_id: int, environment: str, tell: Callable[[str], None]) -> None:
        self._thread_id = thread_id
        self._environment = environment
        self._tell = tell
        self._call: FrameType | None = None
        self._since = 0.0
        self._told = 0
        self._silent_until = 0.0

    def run(self, done: threading.Event) -> None:
        """Look until `done` is set."""
        while not done.wait(LOOK_SECONDS):
            self.look(time.monotonic())
        self._call = None

    def look(self, now: float) -> None:
        """Tell what is waited for if it is due; now: the time by a monotonic clock."""
        innermost = sys._current_frames().get(self._thread_id)
        call, what = _outermost_call(innermost)
        if call is None or call is not self._call:
            self._call, self._since = call, now
            return
        waited = now - self._since
        if waited >= FIRST_SECONDS and now >= self._silent_until:
            self._silent_until = now + PAUSES[min(self._told, len(PAUSES) - 1)]
            self._told += 1
            self._tell(f"{what.format(self._environment)}, for {waited:.0f} s{_place(innermost, call)}")


def _outermost_call(frame: FrameType | None) -> tuple[FrameType | None, str]:
    """The frame of the outermost call of an environment, and what it is called for; None and '' without one."""
    found: FrameType | None = None
    what = ""
    while frame is not None:
        if (called := _what(frame)) is not None:
            found, what = frame, called
        frame = frame.f_back
    return found, what


def _what(frame: FrameType) -> str | None:
    """What a frame is executed for, if it is a call of an environment."""
    code = frame.f_code
    if code.co_name == "make_env" and code.co_filename.startswith(OURS):
        return "environment {} to be made"
    if code.co_name not in _CALLS and code.co_name not in _CALLS_OF_PROCESSES:
        return None
    owner: Any = frame.f_locals.get("self")
    if isinstance(owner, EnvironmentProcesses):
        return _CALLS_OF_PROCESSES.get(code.co_name)
    return _CALLS.get(code.co_name) if isinstance(owner, gym.Env) else None


def _place(frame: FrameType | None, call: FrameType) -> str:
    """The innermost line of the user's own code within the call, as ` (file, line 3)`; empty if there is none."""
    while frame is not None and frame is not call.f_back:
        file = frame.f_code.co_filename
        if is_users_own(file):
            return f" ({file}, line {frame.f_lineno})"
        frame = frame.f_back
    return ""
