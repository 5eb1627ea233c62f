"""Who owns the embedded server: the user of this process, or a system user where that is root.

PostgreSQL refuses to run as root, yet containers do; the server then belongs to the system user `pgserver`.
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
    """The user whom the server's processes and files belong to; `borrowed` if that is not who runs this process."""

    uid: int
    gid: int
    borrowed: bool

    @classmethod
    def for_this_process(cls) -> "Owner":
        """The user of this process; for root the system user, made where it is missing."""
        if os.geteuid() != 0:
            return cls(uid=os.geteuid(), gid=os.getegid(), borrowed=False)
        entry = _system_user()
        return cls(uid=entry.pw_uid, gid=entry.pw_gid, borrowed=True)

    def run(self, command: Sequence[str | Path], *, folder: Path = Path("/")) -> None:
        """Run a program as this user, in a folder, without the caller's PG* variables.

        Raises CalledProcessError with what the program said.
        """
        identity: dict[str, Any] = {"user": self.uid, "group": self.gid, "extra_groups": []} if self.borrowed else {}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        # A file, not a pipe: the server inherits it, and a pipe would stay open for as long as the server lives.
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            done = subprocess.run(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **identity
            )
            output.seek(0)
            if done.returncode:
                raise subprocess.CalledProcessError(done.returncode, str(command[0]), stderr=output.read())

    def give(self, folder: Path) -> None:
        """Let the folder be this user's."""
        if self.borrowed:
            os.chown(folder, self.uid, self.gid)

    def open_way_to(self, folder: Path) -> None:
        """Let a borrowed user pass through the folder and those above; what lies in them stays as hidden as it was."""
        if not self.borrowed:
            return
        for path in (folder.resolve(), *folder.resolve().parents):
            mode = path.stat().st_mode
            if not mode & stat.S_IXOTH:
                path.chmod(mode | stat.S_IXOTH)

    def private_folder(self, purpose: Path) -> Path:
        """A folder under /tmp with a short name, the same for the same purpose, that nobody else may enter."""
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
        return pwd.getpwnam(SYSTEM_USER)  # made just now, by us or by another process at the same moment
    except KeyError:
        raise PermissionError(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} could not be made "
            f"({made.stderr.strip()})"
        ) from None
