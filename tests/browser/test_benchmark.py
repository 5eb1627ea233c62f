"""The short form of what `make bench` measures in a browser."""

from pathlib import Path

import pytest
import test_first_paint
import web_record
from playwright.sync_api import Browser

from rlsweep.settings import Settings
from rlsweep.store.opening import open_database

pytestmark = [pytest.mark.integration, pytest.mark.browser]


def test_first_paint_is_measured(chromium: Browser, home: Path) -> None:
    with open_database(Settings(home=home, storage=home, database_url=None)) as database:
        web_record.load(database, web_record.SHORT)
    waits = test_first_paint.measure(chromium, home, rounds=1)
    assert len(waits) == 1
    assert 0 < waits[0].paint < waits[0].rows < waits[0].sparklines
    assert "first paint (reach 1 s)" in test_first_paint.table(waits)
