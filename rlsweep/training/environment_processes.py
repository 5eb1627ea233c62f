"""Environments in one process each: SB3's SubprocVecEnv, which here carries why a process ended."""

import multiprocessing
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.vec_env import SubprocVecEnv, VecEnv
from stable_baselines3.common.vec_env.base_vec_env import CloudpickleWrapper
from stable_baselines3.common.vec_env.subproc_vec_env import _worker
from typing_extensions import override

from rlsweep import child_signals, errors
from rlsweep.envs.pickling import pickled
from rlsweep.envs.user_code import place_of
from rlsweep.errors import EnvironmentSpecError, EnvironmentStateError, RlsweepError, WorkersLostError
from rlsweep.exit_codes import how_it_ended
from rlsweep.training.unpickling import unpickle

MakeEnv = Callable[[], gym.Env[Any, Any]]

ANSWER_SECONDS = 5.0
"""How long `close` waits for the answer to an env step that is under way."""

CLOSE_SECONDS = 30.0
"""How long an environment's `close` may take before its process is ended by a signal."""


class _ElsewhereError(Exception):
    """The traceback of another process, as the cause of the error raised here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Failure:
    """An exception of an environment's process, in place of an answer.

    kind: name of its class; place: file and line that raised it; trace: its traceback
    """

    kind: str
    text: str
    place: str
    trace: str


class ReplaceableEnv(gym.Wrapper[Any, Any, Any, Any]):
    """An environment in its own process that can be saved and replaced by a copy.

    Pickling errors are returned as text: training goes on without a copy, while an exception would end the process.
    """

    def save(self) -> bytes | str:
        """Return the pickled environment, or the error as text."""
        try:
            return pickled(self.env)
        except Exception as exc:  # noqa: BLE001 - an environment's own pickling raises what it likes
            return f"{type(exc).__name__}: {exc}"

    def receive(self, saved: bytes) -> str | None:
        """Unpickle a copy for `exchange`; return the error as text, or None."""
        try:
            self._copy = unpickle(saved)
        except Exception as exc:  # noqa: BLE001
            return f"{type(exc).__name__}: {exc}"
        return None

    def exchange(self) -> None:
        """Replace the environment by the received copy."""
        self.env.close()
        self.env = self._copy


class _Remote:
    """The run's end of the pipe to an environment's process; it raises why that process ended."""

    def __init__(self, connection: Connection, process: Any, *, what: str) -> None:
        """process: its multiprocessing Process; what: names it in messages."""
        self._connection = connection
        self._process = process
        self._what = what
        self._started = False

    def send(self, request: Any) -> None:
        try:
            self._connection.send(request)
        except ConnectionError as exc:
            raise self._ended_error() from exc

    def recv(self) -> Any:
        try:
            answer = self._connection.recv()
        except (EOFError, ConnectionError) as exc:
            raise self._end() from exc
        if isinstance(answer, _Failure):
            raise self._error(answer) from _ElsewhereError(answer.trace)
        self._started = True
        return answer

    def ask_to_close(self, *, is_waited_for: bool, until: float) -> None:
        """Ask the process to end, or end it if its answer does not come before `until` (by `time.monotonic`)."""
        with suppress(EOFError, OSError):
            if is_waited_for:
                if not self._connection.poll(max(0.0, until - time.monotonic())):
                    self._process.terminate()
                    return
                self._connection.recv()
            self._connection.send(("close", None))

    def close(self) -> None:
        self._connection.close()

    def _ended_error(self) -> RlsweepError:
        """The error of a process that no longer listens: it may have written why before it ended."""
        with suppress(EOFError, OSError):
            while self._connection.poll():
                if isinstance(answer := self._connection.recv(), _Failure):
                    return self._error(answer)
        return self._end()

    def _error(self, failure: _Failure) -> RlsweepError:
        kind = vars(errors).get(failure.kind)
        if isinstance(kind, type) and issubclass(kind, RlsweepError):
            return kind(failure.text)
        text = f"{self._what} raised {failure.kind}: {failure.text}{failure.place}."
        return EnvironmentStateError(text) if self._started else EnvironmentSpecError(text)

    def _end(self) -> RlsweepError:
        self._process.join(ANSWER_SECONDS)
        return WorkersLostError(f"{self._what} {how_it_ended(self._process.exitcode)}.")


class EnvironmentProcesses(SubprocVecEnv):
    """SB3's SubprocVecEnv, except that its processes handle signals and errors otherwise.

    An exception of an environment is raised here, with its file and line; of a process that just ended, the exit code
    or signal is. Environments may start processes of their own. Ctrl-C is left to the run.
    """

    def __init__(self, makers: Sequence[MakeEnv], environment_id: str) -> None:
        """Raises EnvironmentSpecError if the first environment cannot be made; the others are not waited for."""
        _start_fork_server()
        self.waiting = False
        self.closed = False
        context = multiprocessing.get_context("forkserver")
        pipes = [context.Pipe() for _ in makers]
        self.processes = []
        for make, (ours, theirs) in zip(makers, pipes, strict=True):
            process = context.Process(target=_play, args=(theirs, ours, CloudpickleWrapper(make)), daemon=True)
            process.start()
            self.processes.append(process)
            theirs.close()
        self.remotes = tuple(
            _Remote(ours, process, what=f"Environment '{environment_id}', process {number} of {len(makers)},")
            for number, ((ours, _), process) in enumerate(zip(pipes, self.processes, strict=True), start=1)
        )
        try:
            self.remotes[0].send(("get_spaces", None))
            observation_space, action_space = self.remotes[0].recv()
        except BaseException:
            self.close()
            raise
        VecEnv.__init__(self, len(makers), observation_space, action_space)

    @override
    def close(self) -> None:
        """End all processes. One that does not answer in time is ended by a signal."""
        if self.closed:
            return
        self.closed = True
        until = time.monotonic() + ANSWER_SECONDS
        for remote in self.remotes:
            remote.ask_to_close(is_waited_for=self.waiting, until=until)
        until = time.monotonic() + CLOSE_SECONDS
        for process in self.processes:
            process.join(max(0.0, until - time.monotonic()))
            for end in (process.terminate, process.kill):
                if process.exitcode is None:
                    end()
                    process.join(ANSWER_SECONDS)
        for remote in self.remotes:
            remote.close()


def _play(connection: Connection, other_end: Connection, make: CloudpickleWrapper) -> None:
    """Be the process of one environment: SB3's worker, whose exception is sent as the last answer."""
    # the run handles Ctrl-C, and may need the environment until the end of a step. A handler, and not the blocked
    # signal of the fork server, because programs that the environment starts would inherit that
    signal.signal(signal.SIGINT, _leave_to_the_run)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    child_signals.set_in_children(child_signals.DEFAULT)
    multiprocessing.current_process().daemon = False  # a daemonic process may not start others
    np.random.seed()  # otherwise all processes would inherit the fork server's state
    try:
        _worker(connection, other_end, CloudpickleWrapper(lambda: ReplaceableEnv(make.var())))
    except BaseException as exc:  # noqa: BLE001 - SystemExit too: it is raised again where the run is
        with suppress(OSError):
            connection.send(_failure(exc))
        sys.exit(1)


def _failure(exc: BaseException) -> _Failure:
    return _Failure(
        kind=type(exc).__name__,
        text=str(exc),
        place=place_of(exc),
        trace="".join(traceback.format_exception(exc)),
    )


def _leave_to_the_run(_number: int, _frame: FrameType | None) -> None:
    pass


def _start_fork_server() -> None:
    """Start the fork server of the processes, with torch imported once for all of them and with SIGINT blocked.

    Ctrl-C reaches every process of a terminal, but only the run should handle it, because it may need its environments
    until the end of a step. They end when the run closes its ends of their pipes.
    """
    forkserver.set_forkserver_preload(["rlsweep.training.vector"])
    resource_tracker.ensure_running()  # otherwise the server starts it, which unblocks SIGINT
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
