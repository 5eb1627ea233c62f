"""Files of the storage: in a local folder, or below a URI that fsspec opens, such as s3://bucket/prefix.

A `Location` is a `pathlib.Path` for a folder or a `RemotePath` for a URI. `RemotePath` has the methods of Path that are
used here, so most code works with both. Files are written and read on this machine: `put` uploads a file and
`local_copy` downloads one.

Errors: a Path raises OSError. A RemotePath raises FileNotFoundError if the file does not exist, and
StorageUnavailableError for every other error of its backend. The backend reads its own credentials
(AWS_ACCESS_KEY_ID, its own file, …).
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
from urllib.parse import unquote
from uuid import uuid4

from rlsweep.errors import InputError, NotFoundError, StorageUnavailableError, before_start
from rlsweep.scratch import scratch_folder

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

MAX_RETRY_SECONDS = 60.0
"""How long a call is retried while the storage is unavailable."""

RETRY_SECONDS = 2.0
"""Pause between two tries."""

CALL_SECONDS = 300.0
"""Time limit of a single call; the longest one is the upload of a checkpoint."""

_PERMANENT_CAUSES = (FileNotFoundError, ImportError, PermissionError)
"""Causes of a StorageUnavailableError that are not retried: no bucket, no backend, no rights."""

CHECK_SECONDS = 30.0
"""Time limit of `check_usable`."""

_PACKAGES = dict.fromkeys(("s3", "s3a"), ("s3fs", "s3")) | dict.fromkeys(("gs", "gcs"), ("gcsfs", "gcs"))
"""Scheme → (package, extra of rlsweep); for a scheme without an extra, fsspec's error names the package."""

Result = TypeVar("Result")


@dataclass(frozen=True, order=True, slots=True)
class RemotePath:
    """A file or folder below a storage URI. A folder exists if it contains a file."""

    uri: str

    def __str__(self) -> str:
        return self.uri

    def __truediv__(self, name: str) -> "RemotePath":
        return RemotePath(f"{self.uri.rstrip('/')}/{name}")

    @property
    def scheme(self) -> str:
        """The URI's scheme, such as `s3`; it selects the backend."""
        return self.uri.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.uri.rpartition("/")[2]

    @property
    def parent(self) -> "RemotePath":
        """The path without its last part."""
        return RemotePath(self.uri.rpartition("/")[0])

    def exists(self) -> bool:
        """Whether the file or folder exists."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.exists(path, **limit))

    def is_file(self) -> bool:
        """Whether it exists and is a file."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.isfile(path, **limit))

    def is_dir(self) -> bool:
        """Whether it contains any file."""
        with self._opened() as (filesystem, path, limit):
            return bool(filesystem.isdir(path, **limit))

    def iterdir(self) -> Iterator["RemotePath"]:
        """The files and folders directly in it; none if the folder does not exist."""
        try:
            with self._opened() as (filesystem, path, limit):
                found: list[str] = filesystem.ls(path, detail=False, **limit)
        except FileNotFoundError:
            found = []
        return iter([self / each.rstrip("/").rpartition("/")[2] for each in found])

    def mkdir(self, *, parents: bool, exist_ok: bool) -> None:
        """Do nothing: the first file creates the folder."""

    def read_bytes(self) -> bytes:
        """Return the file's content."""
        with self._opened() as (filesystem, path, limit):
            return bytes(filesystem.cat_file(path, **limit))

    def write_bytes(self, content: bytes) -> None:
        """Write the file; an object store replaces it atomically."""
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
        """Yield the backend, its name for this path, and the keyword arguments that limit the duration of a call.

        Translates the backend's errors and clears its cache of listings.
        """
        from fsspec.core import url_to_fs

        try:
            filesystem, path = url_to_fs(self.uri)
            filesystem.invalidate_cache()  # other processes write too, so a cached listing may be outdated
            # without a timeout, s3fs waits forever for a server that accepts connections and never responds
            yield filesystem, path, {"timeout": CALL_SECONDS} if filesystem.async_impl else {}
        except (FileNotFoundError, StorageUnavailableError):
            raise
        except ImportError as exc:
            raise _not_installed(self, exc) from exc
        except Exception as exc:
            raise _unusable(self, exc) from exc


Location: TypeAlias = Path | RemotePath


def is_uri(text: str) -> bool:
    """Whether a text is a URI; every other text is a path."""
    return "://" in text


def locate(text: str) -> Location:
    """Return the location of a path or URI; a `file://` URI becomes a Path.

    Raises InputError for a URI that contains a password, because URIs are shown and logged, and for a URI without a
    path or with more than one (`::`).
    """
    if not is_uri(text):
        return Path(text).expanduser().absolute()
    scheme, _, rest = text.partition("://")
    if "@" in (user := rest.partition("/")[0]) and ":" in user.rpartition("@")[0]:
        raise InputError(
            f"The {scheme}:// URI contains a password, and rlsweep shows URIs. Remove it: backends read credentials "
            "from their own variables and files."
        )
    if scheme in ("file", "local"):
        if not rest.startswith("/"):
            raise InputError(f"{text} is not a path on this machine: write {scheme}:///folder, with three slashes.")
        return Path(unquote(rest)).absolute()
    if "::" in text or not scheme or not rest.strip("/"):
        raise InputError(f"{text} is not a storage URI: write scheme, bucket and prefix, such as s3://bucket/prefix.")
    return RemotePath(text.rstrip("/"))


def put(local: Path, to: Location) -> None:
    """Move a complete file to its location atomically: a reader sees the whole file or none.

    A local target must be in the same file system; the rename is synced to disk. An upload to a URI is retried for
    MAX_RETRY_SECONDS.
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
    """Yield the file's local path: the file itself, or a downloaded copy that is removed at the end.

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
            raise NotFoundError(f"File not found: {location}.") from exc

    with scratch_folder("storage") as folder:
        copy = folder / location.name
        with_retries(fetch)
        yield copy


def sizes_below(folder: Location) -> dict[str, int]:
    """Every file below a folder, with its size in bytes. Raises StorageUnavailableError."""
    if isinstance(folder, Path):
        return {str(file): file.lstat().st_size for file in folder.rglob("*") if file.is_file()}
    with folder._opened() as (filesystem, path, limit):
        return {name: int(about["size"]) for name, about in filesystem.find(path, detail=True, **limit).items()}


def remove_tree(folder: Location) -> None:
    """Remove a folder with everything in it, if it exists. Raises OSError, StorageUnavailableError."""
    if isinstance(folder, Path):
        if folder.is_dir():
            shutil.rmtree(folder)
        return
    try:
        with folder._opened() as (filesystem, path, limit):
            filesystem.rm(path, recursive=True, **limit)
    except FileNotFoundError:
        pass


def disable_listing_cache(storage: RemotePath) -> None:
    """Disable the backend's cache of listings in this process, so that other users of fsspec see new files."""
    from fsspec import get_filesystem_class
    from fsspec.asyn import AsyncFileSystem
    from fsspec.config import conf

    try:
        has_cache = issubclass(get_filesystem_class(storage.scheme), AsyncFileSystem)
    except ImportError as exc:
        raise _not_installed(storage, exc) from exc
    if has_cache:
        conf.setdefault(storage.scheme, {})["use_listings_cache"] = False


@before_start()
def check_usable(storage: Location) -> None:
    """Write a file below a URI and remove it again; a local folder is not checked.

    Raises UnreachableError if that fails or takes longer than CHECK_SECONDS; a backend alone may wait for minutes.
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
    """Repeat the call while the storage is unavailable, for MAX_RETRY_SECONDS; raise a permanent error at once."""
    deadline = time.monotonic() + MAX_RETRY_SECONDS
    while True:
        try:
            return call()
        except StorageUnavailableError as exc:
            if time.monotonic() >= deadline or isinstance(exc.__cause__, _PERMANENT_CAUSES):
                raise
            time.sleep(RETRY_SECONDS)


@contextmanager
def _missing_is_unusable(location: RemotePath) -> Iterator[None]:
    """Translate FileNotFoundError of a write: it means that the bucket does not exist."""
    try:
        yield
    except FileNotFoundError as exc:
        raise _unusable(location, exc) from exc


def _unusable(location: RemotePath, exc: Exception) -> StorageUnavailableError:
    reason = str(exc).strip().split("\n", 1)[0][:300] or type(exc).__name__
    return StorageUnavailableError(
        f"{location} cannot be used: {reason.rstrip('.')}. Check RLSWEEP_STORAGE, and the credentials and endpoint of "
        f"fsspec's {location.scheme} backend."
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
    """Sync a folder to disk, so that a rename in it survives a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
