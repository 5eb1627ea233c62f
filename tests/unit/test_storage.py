"""What needs no object store: names, and the paths that are served as ever."""

import pickle
from pathlib import Path

import pytest

from rlsweep.errors import InputError, NotFoundError
from rlsweep.paths import Paths
from rlsweep.settings import Settings
from rlsweep.storage import RemotePath, check_usable, local_copy, locate, put, remove_tree, sizes_below


def storage_of(text: str) -> Path | RemotePath:
    return Settings.from_environ({"RLSWEEP_HOME": "/home/me", "RLSWEEP_STORAGE": text}).storage


def test_a_path_is_a_path_and_a_uri_is_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert storage_of("") == Path("/home/me")
    assert storage_of("~/runs") == storage_of("file:///home/me/runs") == Path("/home/me/runs")
    assert storage_of("file:///a%20b") == Path("/a b")
    remote = storage_of("s3://bucket/a/prefix/")
    assert remote == RemotePath("s3://bucket/a/prefix")
    assert (str(remote / "x.zip"), (remote / "x.zip").name) == ("s3://bucket/a/prefix/x.zip", "x.zip")
    assert (remote / "x.zip").parent == remote == pickle.loads(pickle.dumps(remote))
    assert (
        str(Paths(Settings(home=Path("/"), storage=remote, database_url=None)).tensorboard) == f"{remote}/tensorboard"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("s3://key:s3cret@bucket/prefix", "contains a password"),
        ("sftp://me:s3cret@host/folder", "contains a password"),
        ("simplecache::s3://bucket/x", "is not a storage URI"),
        ("s3://", "is not a storage URI"),
        ("://bucket", "is not a storage URI"),
        ("file://relative/folder", "three slashes"),
    ],
)
def test_a_uri_that_cannot_be_one_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=rf"^RLSWEEP_STORAGE: .*{message}") as refused:
        storage_of(text)
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize("kind", ["path", "uri"])
def test_files_come_and_go(kind: str, tmp_path: Path) -> None:
    storage = tmp_path if kind == "path" else locate(f"memory://{tmp_path.name}")
    check_usable(storage)
    folder = storage / "folder"
    assert not folder.is_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("a.zip", "b.zip"):
        aside = tmp_path / ("folder/part" if kind == "path" else "part")
        aside.write_bytes(name.encode())
        put(aside, folder / name)
        assert not aside.exists()
    assert {each.name for each in folder.iterdir()} == {"a.zip", "b.zip"}
    assert (folder.is_dir(), (folder / "a.zip").is_file(), (folder / "c.zip").exists()) == (True, True, False)
    assert list(sizes_below(folder).values()) == [5, 5]
    with local_copy(folder / "a.zip") as copy:
        assert copy.read_bytes() == b"a.zip"
    assert copy.exists() == (kind == "path")
    (folder / "a.zip").unlink()
    (folder / "a.zip").unlink(missing_ok=True)
    with pytest.raises(FileNotFoundError):
        (folder / "a.zip").unlink()
    for _ in range(2):
        remove_tree(folder)
    assert not (folder / "b.zip").exists()
    assert sizes_below(folder) == {}


def test_an_object_that_is_not_there_is_named() -> None:
    with (
        pytest.raises(NotFoundError, match=r"File not found: memory://nowhere/x\.zip"),
        local_copy(locate("memory://nowhere/x.zip")),
    ):
        pass
