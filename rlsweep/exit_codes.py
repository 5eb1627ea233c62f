"""What the exit code of a child process says."""

import signal


def how_it_ended(exit_code: int | None) -> str:
    """What an exit code of multiprocessing or subprocess says, as a clause."""
    if exit_code is None:
        return "closed its pipe and still runs"
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    number = -exit_code
    name = signal.Signals(number).name if number in set(signal.Signals) else "unknown"
    guess = "; the kernel sends it when memory runs out" if number == signal.SIGKILL else ""
    return f"was ended by signal {number} ({name}{guess})"
