from pathlib import Path

import pytest

from rlsweep.cluster.working_folder import enter, missing_file_hint
from rlsweep.errors import EnvironmentSpecError


def test_a_worker_enters_the_folder_of_the_command_where_it_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray_folder = tmp_path / "ray"
    ray_folder.mkdir()
    monkeypatch.chdir(ray_folder)
    for folder in (None, tmp_path / "on another machine"):
        enter(folder)
        assert Path.cwd() == ray_folder
    enter(tmp_path)
    assert Path.cwd() == tmp_path


def test_a_file_that_is_missing_on_a_node_comes_with_what_to_do(tmp_path: Path) -> None:
    spec_error = EnvironmentSpecError("Environment cannot be made")
    spec_error.__cause__ = missing = FileNotFoundError("data/level.txt")
    elsewhere = tmp_path / "on another machine"
    told = EnvironmentSpecError("Environment 'x' cannot be made: FileNotFoundError: data/level.txt")
    for error in (missing, spec_error, told):
        hint = missing_file_hint(error, elsewhere)
        assert hint is not None
        assert f"The folder of the command, {elsewhere}, is not on this node" in hint
        assert "absolute path" in hint
        assert missing_file_hint(error, None) is None
        assert missing_file_hint(error, Path.cwd()) is None, "there it is missing for other reasons"
    assert missing_file_hint(ValueError(), elsewhere) is None
