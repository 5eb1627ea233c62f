import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import pytest

from rlsweep.jsonable import jsonable
from rlsweep.runs import RunStatus


@dataclass(frozen=True)
class Inner:
    rates: tuple[float, ...]


@dataclass(frozen=True)
class Outer:
    id: UUID
    at: datetime
    inner: Inner
    by_status: dict[RunStatus, int]
    path: Path


def test_records_become_json() -> None:
    at = datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=2)))
    value = Outer(UUID(int=1), at, Inner((0.5, float("nan"), float("-inf"))), {RunStatus.FAILED: 2}, Path("/x"))
    assert json.loads(json.dumps(jsonable(value), allow_nan=False)) == {
        "id": "00000000-0000-0000-0000-000000000001",
        "at": "2026-01-02T01:00:00+00:00",
        "inner": {"rates": [0.5, None, None]},
        "by_status": {"failed": 2},
        "path": "/x",
    }


def test_what_is_no_record_is_refused() -> None:
    with pytest.raises(TypeError, match="cannot write object as JSON"):
        jsonable(object())
