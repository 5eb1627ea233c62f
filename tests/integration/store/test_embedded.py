import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict

from rlsweep.errors import StoreUnavailableError, UnreachableError
from rlsweep.paths import Paths
from rlsweep.settings import Settings
from rlsweep.store import embedded, schema
from rlsweep.store.database import Database
from rlsweep.store.embedded import embedded_server
from rlsweep.store.keeper import postmaster_pid
from rlsweep.store.opening import open_database

pytestmark = pytest.mark.integration

USE_IT = """
import sys
from pathlib import Path
from rlsweep.settings import Settings
from rlsweep.store.opening import open_database
home = Path(sys.argv[1])
with open_database(Settings(home=home, storage=home, database_url=None)) as database:
    print(database.url, flush=True)
    sys.stdin.readline()
"""


class User:
    """Another process that uses the embedded server."""

    def __init__(self, home: Path) -> None:
        # Warnings are errors, so that nothing third parties say on import gets through.
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", USE_IT, str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def says(self) -> str:
        """Its first line: the URL, if all went well."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def leave(self) -> str:
        """All that it said after its first line."""
        return self.process.communicate("\n", timeout=30)[0]

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate(timeout=30)


@pytest.fixture
def user_of() -> Iterator[Callable[[Path], User]]:
    """Starts users of the server in a home; those that are left at the end are killed."""
    users: list[User] = []

    def start(home: Path) -> User:
        users.append(User(home))
        return users[-1]

    yield start
    for user in users:
        if user.process.poll() is None:
            user.kill()


def embedded_settings(home: Path) -> Settings:
    return Settings(home=home, storage=home, database_url=None)


def works(database: Database) -> bool:
    return schema.schema_version(database) > 0


def test_it_starts_by_itself_keeps_its_data_and_ends(
    home: Path, processes_of: Callable[[Path], list[psutil.Process]]
) -> None:
    settings = embedded_settings(home)
    folder = Paths(settings).embedded_database
    with open_database(settings) as database:
        assert works(database)
        with database.connect() as connection:
            connection.execute("create table things (thing int)")
        postmaster = psutil.Process(postmaster_pid(folder / "data"))
        assert [
            c for c in postmaster.net_connections() if c.family != psutil.AF_LINK and c.laddr and c.status == "LISTEN"
        ] == []
    wait_until(lambda: not processes_of(folder))
    start = time.perf_counter()
    with open_database(settings) as database, database.readonly() as connection:
        print(f"started again in {time.perf_counter() - start:.2f} s")
        assert connection.execute("select * from things").fetchall() == []


def test_processes_share_it_and_the_last_one_ends_it(
    home: Path, user_of: Callable[[Path], User], processes_of: Callable[[Path], list[psutil.Process]]
) -> None:
    folder = Paths(embedded_settings(home)).embedded_database
    users = [user_of(home) for _ in range(3)]
    (url,) = {user.says() for user in users}
    assert [user.leave() for user in users[:2]] == ["", ""]
    time.sleep(0.3)
    assert works(Database(url))
    assert users[2].leave() == ""
    wait_until(lambda: not processes_of(folder))


def test_killed_users_leave_no_server_behind(
    home: Path, user_of: Callable[[Path], User], processes_of: Callable[[Path], list[psutil.Process]]
) -> None:
    folder = Paths(embedded_settings(home)).embedded_database
    users = [user_of(home) for _ in range(2)]
    assert len({user.says() for user in users}) == 1
    assert processes_of(folder)
    for user in users:
        user.kill()
    wait_until(lambda: not processes_of(folder))


def test_a_killed_keeper_is_replaced(home: Path, processes_of: Callable[[Path], list[psutil.Process]]) -> None:
    folder = Paths(embedded_settings(home)).embedded_database
    with embedded_server(folder) as database:
        keeper = processes_of(folder)[0]
        keeper.kill()
        wait_until(lambda: keeper not in processes_of(folder))
        with embedded_server(folder) as again:
            assert again == database
    wait_until(lambda: not processes_of(folder))


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_server_is_started_again(home: Path, sign: signal.Signals, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_WATCH_SECONDS", 3600.0)  # this process's own watch is not what starts it here
    settings = embedded_settings(home)
    data = Paths(settings).embedded_database / "data"
    with open_database(settings) as database:
        killed = postmaster_pid(data)
        assert killed
        os.kill(killed, sign)
        wait_until(lambda: not answers(database))
        with pytest.raises(StoreUnavailableError, match="which restarts the embedded server"), database.connect():
            pytest.fail("connected")
        with open_database(settings) as again:
            assert works(again)
            assert works(database)
            assert postmaster_pid(data) != killed


def test_a_server_that_lives_and_does_not_answer_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_WATCH_SECONDS", 3600.0)
    settings = embedded_settings(home)
    with open_database(settings):
        pid = postmaster_pid(Paths(settings).embedded_database / "data")
        assert pid
        os.kill(pid, signal.SIGSTOP)
        try:
            said = rf"cannot be started: its server, process {pid}, does not answer; end it and try again\."
            with pytest.raises(UnreachableError, match=said), open_database(settings):
                pytest.fail("opened")
        finally:
            os.kill(pid, signal.SIGCONT)
        with open_database(settings) as again:
            assert works(again)


def test_a_note_that_names_another_living_process_is_no_server(home: Path) -> None:
    settings = embedded_settings(home)
    data = Paths(settings).embedded_database / "data"
    with open_database(settings):
        note = (data / "postmaster.pid").read_text()
        killed = postmaster_pid(data)
        assert killed
        os.kill(killed, signal.SIGKILL)
        (data / "postmaster.pid").write_text(note.replace(str(killed), str(os.getpid()), 1))
        with open_database(settings) as again:
            assert works(again)


def test_a_start_that_was_cut_short_is_made_good(home: Path) -> None:
    settings = embedded_settings(home)
    partial = Paths(settings).embedded_database / "data.partial"
    partial.mkdir(parents=True)
    (partial / "PG_VERSION").write_text("18")
    with open_database(settings) as database:
        assert works(database)


@pytest.mark.parametrize(
    ("name", "elsewhere"),
    [
        ("with 'quotes', \"more\", $HOME, % and spaces", True),
        ("with 'quotes' \"more\" $HOME % and spaces", False),
        ("deep/" + 8 * "a-very-long-name-", True),
    ],
)
def test_any_folder_will_do(
    home: Path, name: str, elsewhere: bool, processes_of: Callable[[Path], list[psutil.Process]]
) -> None:
    folder = home / name / "postgres"
    with embedded_server(folder) as database:
        schema.upgrade(database)
        assert works(database)
    wait_until(lambda: not processes_of(folder))
    sockets = Path(conninfo_to_dict(database.url)["host"])
    assert (sockets != folder / "data") == elsewhere
    if elsewhere:
        assert (sockets.parent, sockets.stat().st_mode & 0o077) == (Path("/tmp"), 0)
        sockets.rmdir()


def test_it_keeps_more_pages_than_postgres_would_by_itself(home: Path) -> None:
    with embedded_server(home / "postgres") as database, database.readonly() as connection:
        row = connection.execute(
            "select setting::bigint * 8192 as bytes from pg_settings where name = 'shared_buffers'"
        )
        (found,) = row.fetchall()
    allowed = min(512 * 2**20, psutil.virtual_memory().total // 4)
    assert 0.9 * allowed <= found["bytes"] <= allowed


def test_nobody_else_gets_in(home: Path) -> None:
    with embedded_server(home / "postgres"):
        assert (home / "postgres" / "data").stat().st_mode & 0o077 == 0


def test_a_home_that_cannot_be_used_is_said_with_the_way_out(home: Path) -> None:
    (home / "file").write_text("in the way")
    with (
        pytest.raises(UnreachableError, match=r"cannot be started: .*Choose another RLSWEEP_HOME"),
        open_database(embedded_settings(home / "file")),
    ):
        pytest.fail("opened")


def test_errors_of_those_who_use_it_are_theirs(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), embedded_server(home / "postgres"):
        raise FileNotFoundError("mine")


def answers(database: Database) -> bool:
    try:
        return works(database)
    except StoreUnavailableError:
        return False


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.02)
