"""PgBouncer in transaction mode before a PostgreSQL server, as Debian packages it."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg.conninfo import conninfo_to_dict

from rlsweep.store.database import Database
from rlsweep.store.owner import Owner

CONFIG = """\
[databases]
* = host={host} port={port}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listen_port}
unix_socket_dir =
auth_type = {auth}
auth_file = {folder}/users.txt
pool_mode = transaction
default_pool_size = {pool}
max_client_conn = 1000
logfile = {folder}/log
"""
START_S = 20


def program() -> str | None:
    """Where PgBouncer is, if it is installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def pooled(server: Database, *, pool: int) -> Iterator[Database]:
    """The same database through a PgBouncer with so many connections of its own, which ends with the context."""
    parts = conninfo_to_dict(server.url)
    user, password = str(parts["user"]), str(parts.get("password", ""))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        listen_port = free.getsockname()[1]
    owner = Owner.for_this_process()  # it refuses to run as root
    with tempfile.TemporaryDirectory(prefix="rlsweep-pooler-") as name:
        folder = Path(name)
        (folder / "users.txt").write_text(f'"{user}" "{password}"\n')
        (folder / "pgbouncer.ini").write_text(
            CONFIG.format(
                host=parts["host"], port=parts.get("port", 5432), listen_port=listen_port, folder=folder, pool=pool,
                auth="scram-sha-256" if password else "trust",
            )
        )  # fmt: skip
        for path in (folder, *folder.iterdir()):
            owner.give(path)
        command = [str(program()), "--quiet", str(folder / "pgbouncer.ini")]
        identity = {"user": owner.uid, "group": owner.gid, "extra_groups": []} if owner.borrowed else {}
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **identity) as process:
            try:
                secret = f":{quote(password, safe='')}" if password else ""
                url = f"postgresql://{quote(user)}{secret}@127.0.0.1:{listen_port}/{parts['dbname']}"
                _wait_for(url, process, folder / "log")
                yield Database(url)
            finally:
                process.terminate()
                process.wait(20)


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError as error:
            if process.poll() is not None or time.monotonic() > deadline:
                said = log.read_text() if log.exists() else ""
                raise RuntimeError(f"PgBouncer does not answer: {error}\n{said}") from error
            time.sleep(0.05)
        else:
            return
