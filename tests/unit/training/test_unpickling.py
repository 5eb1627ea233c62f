import pickle

import pytest

from rlsweep.runs import Outcome
from rlsweep.training import unpickling
from rlsweep.training.unpickling import unpickle


@pytest.mark.parametrize(("old", "new"), unpickling._MOVED.items())
def test_a_class_that_moved_is_found_by_its_old_name(old: tuple[str, str], new: tuple[str, str]) -> None:
    found = unpickle(f"c{old[0]}\n{old[1]}\n.".encode())
    assert (found.__module__, found.__qualname__) == new


def test_every_other_class_is_found_where_it_is() -> None:
    assert unpickle(pickle.dumps({"outcome": Outcome.WIN})) == {"outcome": Outcome.WIN}
    with pytest.raises(ModuleNotFoundError):
        unpickle(b"crlsweep.training.boundary\nBoundary\n.")
