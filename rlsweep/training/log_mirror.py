"""TensorBoard's logs of a run whose storage is a URI: written on this machine, and copied there as they grow."""

import logging
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType

from rlsweep.errors import StorageUnavailableError
from rlsweep.scratch import scratch_folder
from rlsweep.storage import RemotePath, with_retries

logger = logging.getLogger(__name__)

SEND_SECONDS = 30.0
"""How far behind the run the storage may be."""

SEND_SHARE = 0.05
"""Of the time, for sending: where that is slow, it is done less often."""

FILE_BYTES = 2**20
"""Of one event file. An object cannot be appended to: the last file is sent anew each time, those before it are not."""


class LogMirror:
    """Copies every file of `folder` to its place, every half minute, before a checkpoint is, and at the end.

    A context manager. Leaving it sends the rest, and raises StorageUnavailableError where that cannot be done; after an
    error it tries once, and warns.

    continued: names of files that another attempt began and that this one appends to
    """

    folder: Path

    def __init__(self, place: RemotePath, *, continued: Sequence[str]) -> None:
        self._place = place
        self._continued = continued
        self._held = ExitStack()
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep_sending, name="logs", daemon=True)

    def __enter__(self) -> "LogMirror":
        self.folder = self._held.enter_context(scratch_folder("logs")) / "logs"
        self.folder.mkdir()
        for name in self._continued:
            with_retries(partial(self._fetch, name))
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        with self._held:
            if error is None:
                self.send()
            elif isinstance(error, Exception):
                self._send_or_warn()

    def _fetch(self, name: str) -> None:
        if (self._place / name).exists():
            (self.folder / name).write_bytes((self._place / name).read_bytes())

    def send(self) -> None:
        """Send what is new, in the order in which it was begun.

        Raises StorageUnavailableError where the storage does not answer in time.
        """
        with_retries(self._send)

    def _send(self) -> None:
        with self._lock:
            for file in sorted(self.folder.iterdir()):
                content = file.read_bytes()  # as it is now: it may grow meanwhile
                if len(content) != self._sizes.get(file.name):
                    (self._place / file.name).write_bytes(content)
                    self._sizes[file.name] = len(content)

    def _send_or_warn(self) -> None:
        try:
            self._send()
        except StorageUnavailableError as exc:
            logger.warning("TensorBoard's logs wait: %s", exc)

    def _keep_sending(self) -> None:
        pause = SEND_SECONDS
        while not self._leaving.wait(pause):
            began = time.monotonic()
            self._send_or_warn()
            pause = max(SEND_SECONDS, (time.monotonic() - began) / SEND_SHARE)
