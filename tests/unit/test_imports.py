"""Imports that stay are left out of garbage collections."""

import gc
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from rlsweep.cli import main
from rlsweep.imports import import_to_stay, lasting_imports, left_out


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    """Nothing is left out before a test, nor after it."""
    gc.unfreeze()
    yield
    gc.unfreeze()


def test_a_module_is_imported_without_the_collector_and_left_out_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "staying_module.py").write_text("import gc\ncollects = gc.isenabled()\n")
    import_to_stay("staying_module")
    assert sys.modules.pop("staying_module").collects is False
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


def test_what_is_imported_already_leaves_nothing_out() -> None:
    import_to_stay("rlsweep.imports")
    assert gc.get_freeze_count() == 0, "what an earlier trial left is to be freed"


def test_a_module_is_left_out_of_what_can_do_without_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    for dear in ("dear_module", "other_module"):
        (tmp_path / f"{dear}.py").write_text("cost = 1\n")
    use = "try:\n    import dear_module, other_module\nexcept ImportError:\n    dear_module = None\n"
    for user in ("first_user", "second_user"):
        (tmp_path / f"{user}.py").write_text(use)
    with left_out("dear_module", "other_module"):
        assert import_module("first_user").dear_module is None
        assert sys.modules["other_module"] is None
    assert import_module("dear_module").cost == 1
    assert import_module("other_module").cost == 1
    with left_out("dear_module"):
        assert import_module("second_user").dear_module.cost == 1, "it costs nothing any more"
    assert import_module("dear_module").cost == 1
    for name in ("dear_module", "other_module", "first_user", "second_user"):
        del sys.modules[name]


def test_the_collector_comes_back_after_an_import_that_fails() -> None:
    with pytest.raises(ModuleNotFoundError), lasting_imports():
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401
    assert gc.isenabled()


def test_a_command_ends_without_a_collection_where_the_process_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--version"], {}) == 0
    assert gc.get_freeze_count() == 0, "called from Python, it leaves the caller's garbage to be freed"
    monkeypatch.setattr(sys, "argv", ["rlsweep", "--version"])
    assert main() == 0
    assert gc.get_freeze_count() > 0
