"""Whose code a file is."""

import json
from pathlib import Path

import numpy as np
import pytest

import rlsweep
from rlsweep.envs.user_code import is_users_own

PACKAGE = Path(rlsweep.__file__).parent


@pytest.mark.parametrize(
    ("file", "is_own"),
    [
        ("/home/me/games/board.py", True),
        (f"{PACKAGE}_games/board.py", True),
        (f"{PACKAGE}_games.py", True),
        (str(PACKAGE / "envs" / "make.py"), False),
        (json.__file__, False),
        (np.__file__, False),
        ("/usr/lib/python3/dist-packages/yaml/__init__.py", False),
        ("<string>", False),
    ],
)
def test_code_of_the_user(file: str, is_own: bool) -> None:
    assert is_users_own(file) is is_own
