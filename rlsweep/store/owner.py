"""The user who owns the embedded server: this process's user, or a system user if that is root.

PostgreSQL refuses to run as root, but containers often do. The server then belongs to the system user `pgserver`.
"""

import hashlib
import os
import pwd
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SYSTEM_USER = "pgserver"


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """The user who owns the server's processes and files; `borrowed` if it is not this process's user."""

    uid: int
    gid: int
    borrowed: bool

    @classmethod
    def for_this_process(cls) -> "Owner":
        """The user of this process; for root the system user, which is created if it does not exist."""
        if os.geteuid() != 0:
            return cls(uid=os.geteuid(), gid=os.getegid(), borrowed=False)
        entry = _system_user()
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, borrowed=True)

    def run(self, command: Sequence[str | Path], *, folder: Path = Path("/")) -> None:
        """Run a program as this user, in a folder, without the caller's PG* variables.

        Raises CalledProcessError with the program's output.
        """
        identity: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # a file, because the server inherits it and would keep a pipe open
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **identity
            )
            output.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, str(command[0]), stderr=output.read())

    def give(self, folder: Path) -> None:
        """Make this user the owner of the folder."""
        if self.borrowed:
            os.chown(folder, self.uid, self.gid)

    def open_way_to(self, folder: Path) -> None:
        """Allow a borrowed user to traverse the folder and its parents; their content stays as protected as before."""
        if not self.borrowed:
            return
        for path in (folder.resolve(), *folder.resolve().parents):
            mode = path.stat().st_mode
            if not mode & stat.S_IXOTH:
                path.chmod(mode | stat.S_IXOTH)

    def private_folder(self, purpose: Path) -> Path:
        """A private folder under /tmp with a short name, which is always the same for a purpose."""
        digest = hashlib.sha256(os.fsencode(purpose)).hexdigest()[:16]
        folder = Path("/tmp") / f"rlsweep-{self.uid}-{digest}"
        try:
            folder.mkdir(mode=0o700)
            self.give(folder)
        except FileExistsError:
            pass
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != self.uid or found.st_mode & 0o077:
            raise PermissionError(f"{folder} exists and is open to other users; remove it")
        return folder


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--user-group", SYSTEM_USER], capture_output=True, text=True
    )
    try:
        return pwd.getpwnam(SYSTEM_USER)  # created by this process or by another one at the same time
    except KeyError:
        raise PermissionError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} cannot be created "
            f"({made.stderr.strip()})"
        ) from None
