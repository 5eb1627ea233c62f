import io
import random
from pathlib import Path

from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.summary.writer.record_writer import RecordWriter

from rlsweep.training.event_file import LONGEST, EventFile, records


def test_records_are_those_of_tensorboards_own_writer() -> None:
    lengths = [0, 1, 2, 7, 70, 70, 71, LONGEST - 1, LONGEST, LONGEST + 1, 3000, 0, 70]
    messages = [random.Random(number).randbytes(length) for number, length in enumerate(lengths)]
    theirs = io.BytesIO()
    for message in messages:
        RecordWriter(theirs).write(message)
    assert records(messages) == theirs.getvalue()
    assert records([b""]) == theirs.getvalue()[:16]


def test_events_are_in_the_file_once_it_is_flushed(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "new")
    (path,) = (tmp_path / "new").iterdir()
    for step in (1, 2):
        file.add(Event(wall_time=1.0, step=step))
    size = file.bytes
    assert [event.file_version for event in EventFileLoader(str(path)).Load()] == ["brain.Event:2"]
    file.flush()
    assert file.bytes == path.stat().st_size > size
    file.add(Event(wall_time=1.0, step=3))
    file.close()
    assert [event.step for event in EventFileLoader(str(path)).Load()] == [0, 1, 2, 3]


def test_two_files_of_one_second_have_names_of_their_own(tmp_path: Path) -> None:
    for _ in range(2):
        EventFile(tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 2


def test_the_files_of_one_process_sort_in_the_order_of_their_creation(tmp_path: Path) -> None:
    created: list[Path] = []
    for _ in range(12):
        EventFile(tmp_path).close()
        created += set(tmp_path.iterdir()) - set(created)
    assert sorted(created) == created
