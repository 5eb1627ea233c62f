"""Upload a run's TensorBoard logs to a storage URI: they are written locally and copied as they grow."""

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

UPLOAD_SECONDS = 30.0
"""Time between two uploads."""

MAX_UPLOAD_FRACTION = 0.05
"""Maximum fraction of the time spent on uploads; slow uploads happen less often."""

FILE_BYTES = 2**20
"""Maximum size of one event file. Object stores cannot append, so each upload replaces the whole last file."""


class LogUploader:
    """Uploads every file of `folder`: every UPLOAD_SECONDS, before each checkpoint, and at the end. A context manager.

    Its exit uploads the rest and raises StorageUnavailableError if that fails; after another error it tries once and
    only warns.

    continued: names of files that an earlier attempt began and that this one appends to
    """

    folder: Path

    def __init__(self, target: RemotePath, *, continued: Sequence[str]) -> None:
        self._target = target
        self._continued = continued
        self._exit_stack = ExitStack()
        self._sizes: dict[str, int] = {}
        self._lock = threading.Lock()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._keep_uploading, name="logs", daemon=True)

    def __enter__(self) -> "LogUploader":
        self.folder = self._exit_stack.enter_context(scratch_folder("logs")) / "logs"
        self.folder.mkdir()
        for name in self._continued:
            with_retries(partial(self._fetch, name))
        self._thread.start()
        return self

    def __exit__(
        self, error_type: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leaving.set()
        with self._exit_stack:
            if error is None:
                self.upload()
            elif isinstance(error, Exception):
                self._upload_or_warn()

    def _fetch(self, name: str) -> None:
        if (self._target / name).exists():
            (self.folder / name).write_bytes((self._target / name).read_bytes())

    def upload(self) -> None:
        """Upload all changed files, oldest first.

        Raises StorageUnavailableError if the storage does not answer in time.
        """
        with_retries(self._upload)

    def _upload(self) -> None:
        with self._lock:
            for file in sorted(self.folder.iterdir()):
                content = file.read_bytes()  # one read: the file may grow during the upload
                if len(content) != self._sizes.get(file.name):
                    (self._target / file.name).write_bytes(content)
                    self._sizes[file.name] = len(content)

    def _upload_or_warn(self) -> None:
        try:
            self._upload()
        except StorageUnavailableError as exc:
            logger.warning("TensorBoard logs not uploaded yet: %s", exc)

    def _keep_uploading(self) -> None:
        pause = UPLOAD_SECONDS
        while not self._leaving.wait(pause):
            began = time.monotonic()
            self._upload_or_warn()
            pause = max(UPLOAD_SECONDS, (time.monotonic() - began) / MAX_UPLOAD_FRACTION)
