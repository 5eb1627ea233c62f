"""Files of the storage: below a folder of this machine, or below a URI that fsspec opens, such as s3://bucket/prefix.

A `Location` is one or the other. `pathlib.Path` serves the folder, untouched. `RemotePath` serves the URI with those of
Path's methods that are needed, so that most code need not know which of the two it has. `put` and `local_copy` are the
ways between: files are made and read on this machine.

Errors: a Path raises OSError. A RemotePath raises FileNotFoundError where there is no such file, and
StorageUnavailableError for whatever else its backend raises. Credentials are the backend's affair (AWS_ACCESS_KEY_ID, a
file of its own, …).
"""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeVar
from urllib.request import url2pathname
from uuid import uuid4

from rlsweep.errors import InputError, NotFoundError, StorageUnavailableError, before_start
from rlsweep.scratch import scratch_folder

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PATIENCE_SECONDS = 60.0
"""How long a file may wait for a storage that is away before whoever sends or fetches it gives up."""

RETRY_SECONDS = 2.0

CALL_SECONDS = 300.0
"""How long a single call may take: the upload of one checkpoint is the longest."""

_LASTING = (FileNotFoundError, ImportError, PermissionError)
"""Causes of a StorageUnavailableError that time does not heal: no bucket, no backend, no rights."""

CHECK_SECONDS = 30.0
"""How long a storage may take to answer before anything is started."""

_PACKAGES = dict.fromkeys(("s3", "s3a"), ("s3fs", "s3")) | dict.fromkeys(("gs", "gcs"), ("gcsfs", "gcs"))
"""Backends that are extras of ours: by scheme the package and the extra. fsspec says what others need."""

Result = TypeVar("Result")


@dataclass(frozen=True, order=True, slots=True)
class RemotePath:
    """A file or folder below a storage that a URI names. A folder is there by what is in it."""

    uri: str

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.uri.rstrip('/')}/{name}")

    @property
    def scheme(self) -> str:
        """What says which backend has it, such as `s3`."""
        return self.uri.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part."""
        return self.uri.rpartition("/")[2]

    @property
    def parent(self) -> "RemotePath":
        """All but the last part."""
        return RemotePath(self.uri.rpartition("/")[0])

    def exists(self) -> bool:
        """Whether there is such a file or folder."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.exists(path, **limit))

    def is_file(self) -> bool:
        """Whether there is such a file."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.isfile(path, **limit))

    def is_dir(self) -> bool:
        """Whether there is anything below it."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.isdir(path, **limit))

    def iterdir(self) -> Iterator["RemotePath"]:
        """What lies directly in it; nothing where there is no such folder."""
        try:
            with self._opened() as (filesystem, path, limit):
                found: list[str] = filesystem.ls(path, detail=False, **limit)
        except FileNotFoundError:
            found = []
        return iter([self / each.rstrip("/").rpartition("/")[2] for each in found])

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Nothing to do: a folder is there with the first file in it."""

    def read_bytes(self) -> bytes:
        """All of it."""
        with self._opened() as (filesystem, path, limit):
            return bytes(filesystem.cat_file(path, **limit))

    def write_bytes(self, content: bytes) -> None:
        """Put `content` in its place; an object store does so at one stroke."""
        with self._opened() as (filesystem, path, limit), _missing_is_unusable(self):
            filesystem.pipe_file(path, content, **limit)

    def unlink(self, *, missing_ok: bool = False) -> None:
        """Remove the file."""
        try:
            with self._opened() as (filesystem, path, limit):
                filesystem.rm_file(path, **limit)
        except FileNotFoundError:
            if not missing_ok:
                raise

    @contextmanager
    def _opened(self) -> Iterator[tuple["AbstractFileSystem", str, dict[str, float]]]:
        """The backend, the path that it knows this by, and what to call it with so that it ends in time.

        Its errors are translated, and what it remembers is forgotten.
        """
        from fsspec.core import url_to_fs

        try:
            filesystem, path = url_to_fs(self.uri)
            filesystem.invalidate_cache()  # a listing of before is of no use where others write too
            # s3fs was seen to wait for ever for a server that takes connections and says nothing
            yield filesystem, path, {"timeout": CALL_SECONDS} if filesystem.async_impl else {}
        except (FileNotFoundError, StorageUnavailableError):
            raise
        except ImportError as exc:
            raise _not_installed(self, exc) from exc
        except Exception as exc:
            raise _unusable(self, exc) from exc


Location: TypeAlias = Path | RemotePath


def is_uri(text: str) -> bool:
    """Whether a text names a place by a URI; all else is a path."""
    return "://" in text


def locate(text: str) -> Location:
    """The location that a path or URI names; `file://` names a path.

    Raises InputError for a URI that holds a password, which would be shown wherever the URI is, and for those that
    name nothing or more than one place.
    """
    if not is_uri(text):
        return Path(text).expanduser().absolute()
    scheme, _, rest = text.partition("://")
    if "@" in (user := rest.partition("/")[0]) and ":" in user.rpartition("@")[0]:
        raise InputError(
            f"The {scheme}:// URI holds a password, which would be shown with it. Leave it out: backends read "
            "credentials from their own variables and files."
        )
    if scheme in ("file", "local"):
        if not rest.startswith("/"):
            raise InputError(f"{text} is no path of this machine: write {scheme}:///folder, with three slashes.")
        return Path(url2pathname(rest)).absolute()
    if "::" in text or not scheme or not rest.strip("/"):
        raise InputError(f"{text} names no place: write a scheme, a bucket and a prefix, such as s3://bucket/prefix.")
    return RemotePath(text.rstrip("/"))


def put(local: Path, to: Location) -> None:
    """Move a complete file to its place: whoever looks there sees all of it or none.

    A path has to be in the same file system; what is there outlives a power cut. An object store is waited for a while.
    Raises OSError, StorageUnavailableError.
    """
    if isinstance(to, Path):
        local.rename(to)
        _sync_folder(to.parent)
        return

    def upload() -> None:
        with to._opened() as (filesystem, path, limit), _missing_is_unusable(to):
            filesystem.put_file(str(local), path, **limit)

    with_retries(upload)
    local.unlink(missing_ok=True)


@contextmanager
def local_copy(location: Location) -> Iterator[Path]:
    """The file on this machine: itself, or a copy that is removed at the end.

    Raises NotFoundError, StorageUnavailableError.
    """
    if isinstance(location, Path):
        yield location
        return

    def fetch() -> None:
        try:
            with location._opened() as (filesystem, path, limit):
                filesystem.get_file(path, str(copy), **limit)
        except FileNotFoundError as exc:
            raise NotFoundError(f"There is no file at {location}.") from exc

    with scratch_folder("storage") as folder:
        copy = folder / location.name
        with_retries(fetch)
        yield copy


def sizes_below(folder: Location) -> dict[str, int]:
    """Every file below a folder with its bytes. Raises StorageUnavailableError."""
    if isinstance(folder, Path):
        return {str(file): file.lstat().st_size for file in folder.rglob("*") if file.is_file()}
    with folder._opened() as (filesystem, path, limit):
        return {name: int(about["size"]) for name, about in filesystem.find(path, detail=True, **limit).items()}


def remove_tree(folder: Location) -> None:
    """Remove a folder with all that is in it, if it is there. Raises OSError, StorageUnavailableError."""
    if isinstance(folder, Path):
        if folder.is_dir():
            shutil.rmtree(folder)
        return
    try:
        with folder._opened() as (filesystem, path, limit):
            filesystem.rm(path, recursive=True, **limit)
    except FileNotFoundError:
        pass


def read_afresh(storage: RemotePath) -> None:
    """Have whoever reads there through fsspec itself, in this process, see what is new: backends remember listings."""
    from fsspec import get_filesystem_class
    from fsspec.asyn import AsyncFileSystem
    from fsspec.config import conf

    try:
        remembers = issubclass(get_filesystem_class(storage.scheme), AsyncFileSystem)
    except ImportError as exc:
        raise _not_installed(storage, exc) from exc
    if remembers:
        conf.setdefault(storage.scheme, {})["use_listings_cache"] = False


@before_start()
def check_usable(storage: Location) -> None:
    """Write a file below a URI and remove it again; a folder is looked at when it is used.

    Raises UnreachableError where that fails or takes too long. Backends themselves may wait for minutes.
    """
    if isinstance(storage, Path):
        return
    failure: list[StorageUnavailableError] = []

    def ask() -> None:
        try:
            with storage._opened() as (filesystem, path, limit), _missing_is_unusable(storage):
                mark = f"{path}/.rlsweep-{uuid4()}"
                filesystem.pipe_file(mark, b"", **limit)
                filesystem.rm_file(mark, **limit)
        except StorageUnavailableError as exc:
            failure.append(exc)

    asking = threading.Thread(target=ask, name="storage check", daemon=True)
    asking.start()
    asking.join(CHECK_SECONDS)
    if asking.is_alive():
        raise _unusable(storage, TimeoutError(f"no answer within {CHECK_SECONDS:.0f} s"))
    if failure:
        raise failure[0]


def with_retries(call: Callable[[], Result]) -> Result:
    """Call until the storage answers, for PATIENCE_SECONDS; what waiting cannot help is raised at once."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return call()
        except StorageUnavailableError as exc:
            if time.monotonic() >= deadline or isinstance(exc.__cause__, _LASTING):
                raise
            time.sleep(RETRY_SECONDS)


@contextmanager
def _missing_is_unusable(location: RemotePath) -> Iterator[None]:
    """Where something is written, what is not there is the bucket."""
    try:
        yield
    except FileNotFoundError as exc:
        raise _unusable(location, exc) from exc


def _unusable(location: RemotePath, exc: Exception) -> StorageUnavailableError:
    reason = str(exc).strip().split("\n", 1)[0][:300] or type(exc).__name__
    return StorageUnavailableError(
        f"{location} cannot be used: {reason.rstrip('.')}. Check RLSWEEP_STORAGE, and the credentials and the address "
        f"that fsspec's {location.scheme} backend is given by its own variables and files."
    )


def _not_installed(location: RemotePath, exc: ImportError) -> StorageUnavailableError:
    package = _PACKAGES.get(location.scheme)
    install = (
        f"needs the package {package[0]}: pip install 'rlsweep[{package[1]}]'" if package else f"is missing: {exc}"
    )
    return StorageUnavailableError(
        f"{location} cannot be used: fsspec's backend for {location.scheme}:// {install}, on every node that trains. "
        "Or point RLSWEEP_STORAGE elsewhere."
    )


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
