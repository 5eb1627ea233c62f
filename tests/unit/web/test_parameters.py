from datetime import UTC, datetime
from uuid import UUID

import pytest

from rlsweep.errors import InputError
from rlsweep.store.listing import Place
from rlsweep.store.listing_order import Order, SortKey
from rlsweep.store.sweep_listing import SweepPlace
from rlsweep.web.parameters import order_of, read_place, read_sweep_place, write_cursor

ID = UUID("00000000-0000-0000-0000-000000000001")
MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@pytest.mark.parametrize("value", [None, "0.1", "näme; <b>"])
@pytest.mark.parametrize("as_of", [None, MOMENT])
def test_a_cursor_is_read_back(value: str | None, as_of: datetime | None) -> None:
    place = Place(value=value, id=ID, as_of=as_of)
    cursor = write_cursor(place, "-seed")
    assert cursor is not None
    assert cursor.replace("-", "").replace("_", "").isalnum(), "fit for an address as it is"
    assert read_place(cursor, "-seed") == place
    with pytest.raises(InputError, match="first page"):
        read_place(cursor, "seed")


def test_a_cursor_of_sweeps_is_read_back() -> None:
    place = SweepPlace(created_at=MOMENT, id=ID)
    assert read_sweep_place(write_cursor(place, "x"), "x") == place
    with pytest.raises(InputError):
        read_place(write_cursor(place, "x"), "x")


def test_orders() -> None:
    assert order_of("-win_rate") == Order(key=SortKey.WIN_RATE, descending=True)
    assert order_of("seed") == Order(key=SortKey.SEED, descending=False)
    with pytest.raises(InputError, match="did you mean win_rate"):
        order_of("-winrate")
