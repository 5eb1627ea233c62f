"""Write TensorBoard's event files: TFRecords of `Event` messages, many at a time.

TensorBoard's own writer computes the checksum of each event byte by byte in Python, which took 1% of a trial's time.
"""

import itertools
import os
import socket
import struct
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tensorboard.compat.proto.event_pb2 import Event, SourceMetadata
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import CRC_TABLE, masked_crc32c

LONGEST = 256
"""Bytes of the longest message whose checksum is computed with others; an episode's event has about 70."""

_ONES = 0xFFFFFFFF
_numbers = itertools.count()


class EventFile:
    """One new event file in a folder. Events wait in memory until `flush`, which raises OSError if it fails."""

    def __init__(self, folder: Path) -> None:
        """Create the folder and the file. File names sort by time, also those of one process in one second."""
        folder.mkdir(parents=True, exist_ok=True)
        name = f"events.out.tfevents.{int(time.time()):010d}.{socket.gethostname()}.{os.getpid()}.{next(_numbers):06d}"
        self._waiting: list[bytes] = []
        self._file = (folder / name).open("ab", buffering=0)
        metadata = SourceMetadata(writer="rlsweep.training.event_file")
        self.add(Event(wall_time=time.time(), file_version="brain.Event:2", source_metadata=metadata))
        self.flush()

    @property
    def bytes(self) -> int:
        """Size of the file."""
        return self._file.tell()

    def add(self, event: Event) -> None:
        """Add an event to those that wait."""
        self._waiting.append(event.SerializeToString())

    def flush(self) -> None:
        """Write all waiting events to the file."""
        if self._waiting:
            content = memoryview(records(self._waiting))
            self._waiting.clear()
            while content:
                content = content[self._file.write(content) :]

    def close(self) -> None:
        """Write all waiting events and close the file."""
        try:
            self.flush()
        finally:
            self._file.close()


def records(messages: Sequence[bytes]) -> bytes:
    """Messages as TFRecords: each with its length before it, and a masked CRC-32C of the length and of itself."""
    short = [message for message in messages if 0 < len(message) <= LONGEST]
    checksums = iter(_masked(_crc32c_of_each(short)).tolist() if short else ())
    parts: list[bytes] = []
    for message in messages:
        is_short = 0 < len(message) <= LONGEST
        checksum = next(checksums) if is_short else masked_crc32c(message)
        parts += (_header(len(message)), message, struct.pack("<I", checksum))
    return b"".join(parts)


@cache
def _header(length: int) -> bytes:
    encoded = struct.pack("<Q", length)
    return encoded + struct.pack("<I", masked_crc32c(encoded))


def _masked(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(0xA282EAD8)


def _crc32c_of_each(messages: Sequence[bytes]) -> NDArray[np.uint32]:
    """CRC-32C of messages of 1 to LONGEST bytes.

    It is linear over XOR: what a byte contributes depends only on its value and on how many bytes follow it.
    """
    contributions, start = _tables()
    lengths = np.array([len(message) for message in messages])
    ends = lengths.cumsum()
    content = np.frombuffer(b"".join(messages), np.uint8)
    following = ends.repeat(lengths) - np.arange(1, content.size + 1)
    begins = ends - lengths
    checksums: NDArray[np.uint32] = np.bitwise_xor.reduceat(contributions[following, content], begins) ^ start[lengths]
    return checksums


@cache
def _tables() -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """What a byte contributes, by the number of bytes that follow and by its value; and what a length contributes."""
    table = np.array(CRC_TABLE, np.uint32)
    contributions = np.empty((LONGEST, 256), np.uint32)
    contributions[0] = table
    start = np.empty(LONGEST + 1, np.uint32)
    state = np.array([_ONES], np.uint32)
    for following in range(LONGEST):
        start[following] = state[0] ^ np.uint32(_ONES)
        state = _advanced(state, table)
        if following:
            contributions[following] = _advanced(contributions[following - 1], table)
    start[LONGEST] = state[0] ^ np.uint32(_ONES)
    return contributions, start


def _advanced(state: NDArray[np.uint32], table: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The states after one more byte, 0."""
    after: NDArray[np.uint32] = table[state & np.uint32(0xFF)] ^ (state >> np.uint32(8))
    return after
