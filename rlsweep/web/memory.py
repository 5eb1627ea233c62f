"""Answers that the server keeps: a panel of a sweep that has ended is computed once, and not for every browser."""

import threading
from collections import OrderedDict

MOST_BYTES = 32 * 1024 * 1024
"""Of all answers together; the report of a sweep of 32 configs with 5 seeds has 0.2 MB."""


class AnswerMemory:
    """The bodies of answers by their ETags, which differ whenever the answers may differ; those used last are kept."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, etag: str) -> bytes | None:
        """The answer with this ETag, if it is kept."""
        with self._lock:
            body = self._kept.get(etag)
            if body is not None:
                self._kept.move_to_end(etag)
            return body

    def keep(self, etag: str, body: bytes) -> None:
        """Keep an answer, in place of those that were not asked for lately."""
        with self._lock:
            self._bytes += len(body) - len(self._kept.pop(etag, b""))
            self._kept[etag] = body
            while self._bytes > self._most_bytes:
                _, dropped = self._kept.popitem(last=False)
                self._bytes -= len(dropped)
