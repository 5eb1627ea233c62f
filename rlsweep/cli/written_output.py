"""Whether what commands print on stdout could be written."""

import os
import sys

from rlsweep.errors import RlsweepError


def flush_output(last: str = "") -> None:
    """Write `last` and what stdout still holds. Raises RlsweepError where that cannot be, as on a full disk.

    What cannot be written is dropped then, so that Python does not try again as it ends. A pipe that nobody reads any
    more is no error.
    """
    try:
        sys.stdout.write(last)
        sys.stdout.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise RlsweepError(f"The output cannot be written: {error.strerror or error}.") from error
