"""The child process of Training History that judges which keys matter: `python -m rlsweep.spaces.importance_child`.

Its stdin is a connection. It receives the arguments of `shares` and sends the shares back, or the traceback as text. It
ends once the other side is closed, also where the server was killed.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection

from rlsweep.spaces.importance import Column, Floats, preload, shares

NICENESS = 5
"""It imports for a second or two while a page loads: the answers that the page waits for come first."""


def answer(columns: Sequence[Column], mean: Floats, sd: Floats, freedom: float) -> Floats | str:
    """The shares, or the traceback."""
    try:
        return shares(columns, mean, sd, freedom)
    except Exception:  # noqa: BLE001 - whatever it is, the server raises it
        return traceback.format_exc()


def main() -> None:
    """Answer until the other side is closed."""
    os.nice(NICENESS)
    preload()
    with suppress(EOFError, ConnectionError), Connection(sys.stdin.fileno()) as server:
        while True:
            server.send(answer(*server.recv()))


if __name__ == "__main__":
    main()
