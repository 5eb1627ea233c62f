"""Why the process of a trial died, in words for its record."""

import re
from pathlib import Path

from rlsweep.attempts.process_exits import DEATH, fault_file, take_fault
from rlsweep.runs import TrainingRun

_EXIT = re.compile(r"Worker exits with an exit code (?P<code>[^.\n]+)")


def cause_of_death(run: TrainingRun, details: str, spool: Path) -> str:
    """Return one line: the exit code or the fatal signal if one is known, else what Ray guesses.

    details: Ray's text, with one failure for each time that the process died
    spool: the folder in which the trial's process, if it was on this machine, has left what it knew
    """
    fault = take_fault(fault_file(spool, run.id, run.attempt))
    exits = _EXIT.findall(details)
    known = run.metadata.get(DEATH) or fault or (f"exit code {exits[-1]}" if exits else None)
    deaths = max(1, details.count("Failure # "))
    times = "" if deaths == 1 else f" It was started {deaths} times, and died each time."
    if known is not None:
        return f"The trial's process died: {known}.{times}"
    lines = details.splitlines()
    ray = f" Ray says: {lines[-1]}" if lines else ""
    return (
        "The trial's process died without an exit code or a signal on record, as by SIGKILL, which the kernel sends "
        f"when memory runs out.{times}{ray}"
    )
