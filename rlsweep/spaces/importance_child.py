"""The child process of Training History that judges which keys matter: `python -m rlsweep.spaces.importance_child`.

Its stdin is a connection. It receives the arguments of `shares` and sends the shares back, or the traceback as text. It
ends once the other side is closed, also where the server was killed.
"""

import os
import sys
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection

NICENESS = 5
"""It imports for a second or two while a page loads: the answers that the page waits for come first."""


def main() -> None:
    """Answer until the other side is closed."""
    os.nice(NICENESS)
    from rlsweep.spaces.importance import Floats, preload, shares  # numpy too is imported at this niceness

    preload()
    with suppress(EOFError, ConnectionError), Connection(sys.stdin.fileno()) as server:
        while True:
            question = server.recv()
            try:
                answer: Floats | str = shares(*question)
            except Exception:  # noqa: BLE001 - whatever it is, the server raises it
                answer = traceback.format_exc()
            server.send(answer)


if __name__ == "__main__":
    main()
