import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from rlsweep.errors import InputError
from rlsweep.places import job_files
from rlsweep.places.job_files import SETTINGS_FILE, write_job_files
from rlsweep.settings import Settings, read_variables


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home", storage=tmp_path / "shared", database_url="postgresql://u:secret@db/x")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the user works."""
    folder = tmp_path / "work"
    (folder / "my_package" / "data").mkdir(parents=True)
    (folder / "my_package" / "__init__.py").write_text("")
    (folder / "my_package" / "data" / "maze.txt").write_text("#")
    (folder / "my_game.py").write_text("import my_rules")
    (folder / "my_rules.py").write_text("")
    (folder / "notes.txt").write_text("mine")
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return folder


def packed(tmp_path: Path, settings: Settings, *environments: str) -> dict[str, str]:
    folder = tmp_path / "luggage"
    folder.mkdir()
    write_job_files(folder, settings, set(environments))
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def test_where_things_are_travels_and_nobody_else_reads_it(tmp_path: Path, settings: Settings) -> None:
    files = packed(tmp_path, settings, "open_spiel/connect_four", "blokus_rl:BlokusEnv")
    assert list(files) == [SETTINGS_FILE], "what is installed stays"
    path = tmp_path / "luggage" / SETTINGS_FILE
    assert path.stat().st_mode & 0o077 == 0
    assert read_variables(path) == {
        "RLSWEEP_DATABASE_URL": "postgresql://u:secret@db/x",
        "RLSWEEP_STORAGE": str(settings.storage),
    }


def test_a_folder_of_modules_travels_without_an_init_file(tmp_path: Path, settings: Settings, work: Path) -> None:
    (work / "my_games").mkdir()
    (work / "my_games" / "maze.py").write_text("class Maze: ...")
    assert "my_games/maze.py" in packed(tmp_path, settings, "my_games.maze:Maze")


def test_an_embedded_database_is_found_through_the_home(tmp_path: Path, settings: Settings) -> None:
    packed(tmp_path, replace(settings, database_url=None, storage=settings.home))
    assert read_variables(tmp_path / "luggage" / SETTINGS_FILE) == {"RLSWEEP_HOME": str(settings.home)}


def test_a_module_of_the_users_goes_along_with_those_beside_it(tmp_path: Path, settings: Settings, work: Path) -> None:
    files = packed(tmp_path, settings, "my_game:Game")
    assert set(files) == {SETTINGS_FILE, "my_game.py", "my_rules.py"}
    assert files["my_game.py"] == "import my_rules"


def test_a_package_goes_as_a_whole(tmp_path: Path, settings: Settings, work: Path) -> None:
    files = packed(tmp_path, settings, "my_package.games:Game")
    assert {"my_package/__init__.py", "my_package/data/maze.txt", "my_rules.py"} < set(files)
    assert "notes.txt" not in files


def test_too_much_is_refused(tmp_path: Path, settings: Settings, work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_files, "MOST_BYTES", 3)
    with pytest.raises(InputError, match="too much to send with a sweep"):
        packed(tmp_path, settings, "my_game:Game")


def test_a_settings_file_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    path = tmp_path / "rlsweep.env"
    with pytest.raises(InputError, match=r"--settings .*rlsweep.env: No such file"):
        read_variables(path)
    path.write_text("# mine\n\nRLSWEEP_HOME=/a=b\nPATH=/bin\n")
    with pytest.raises(InputError, match="line 4: write RLSWEEP_NAME=VALUE"):
        read_variables(path)
    path.write_text("# mine\n\nRLSWEEP_HOME=/a=b\n")
    assert read_variables(path) == {"RLSWEEP_HOME": "/a=b"}


def test_what_is_not_copied_is_neither_counted_nor_in_the_way(
    tmp_path: Path, settings: Settings, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (work / ".#my_game.py").symlink_to("somebody@host.1234")  # an editor's lock, which leads nowhere
    (work / "gone.py").symlink_to("nowhere.py")
    (work / "my_package" / "gone.py").symlink_to("nowhere.py")
    (work / "my_package" / ".git").mkdir()
    (work / "my_package" / ".git" / "pack").write_text("x" * 10_000)
    monkeypatch.setattr(job_files, "MOST_BYTES", 5_000)
    files = packed(tmp_path, settings, "my_package.games:Game")
    assert set(files) == {
        *(SETTINGS_FILE, "my_game.py", "my_rules.py", "my_package/__init__.py", "my_package/data/maze.txt")
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_what_may_not_be_read_is_told(tmp_path: Path, settings: Settings, work: Path) -> None:
    (work / "my_rules.py").chmod(0)
    with pytest.raises(InputError, match=r"my_game.py and what lies beside it cannot be sent .*Permission denied"):
        packed(tmp_path, settings, "my_game:Game")
