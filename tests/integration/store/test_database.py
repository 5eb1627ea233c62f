import socket
import subprocess
import time
from urllib.parse import quote

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from rlsweep.errors import StoreUnavailableError
from rlsweep.store.database import CONNECT_TIMEOUT_SECONDS, Database
from rlsweep.store.kept_connection import KeptConnection
from rlsweep.store.shell import psql_command

SERVERS = ("embedded", "by URL")

pytestmark = pytest.mark.integration


def test_a_transaction_is_committed_or_rolled_back_as_a_whole(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create table things (thing int)")
        connection.execute("insert into things values (1)")
    with pytest.raises(ZeroDivisionError), database.connect() as connection:
        assert connection.execute("insert into things values (2)").rowcount / 0
    with database.readonly() as connection:
        assert connection.execute("select thing from things").fetchall() == [{"thing": 1}]
    assert connection.closed


def backend(database: Database) -> int:
    with database.readonly() as connection:
        row = connection.execute("select pg_backend_pid() as pid").fetchone()
    assert row is not None
    return int(row["pid"])


def test_a_kept_connection_serves_each_transaction_by_itself(database: Database) -> None:
    kept = KeptConnection(database.url)
    first = backend(kept)
    with kept.connect() as connection:
        connection.execute("create table things (thing int)")
        connection.execute("insert into things values (1)")
    with kept.readonly() as reader, database.connect() as writer:
        assert reader.execute("select thing from things").fetchall() == [{"thing": 1}]
        writer.execute("insert into things values (2)")
    assert backend(kept) == first != backend(database)
    with kept.connect() as connection:
        assert connection.execute("insert into things select count(*) from things returning thing").fetchone() == {
            "thing": 2
        }
    with pytest.raises(ZeroDivisionError), kept.connect() as connection:
        assert connection.execute("insert into things values (4)").rowcount / 0
    with database.readonly() as connection:
        assert connection.execute("select count(*) as things from things").fetchone() == {"things": 3}
    kept.close()
    assert connection.closed


def test_a_kept_connection_is_opened_again_once_the_server_ended_it(database: Database) -> None:
    kept = KeptConnection(database.url)
    first = backend(kept)
    with database.connect() as connection:
        connection.execute("select pg_terminate_backend(%s, 5000)", [first])
    assert backend(kept) != first, "an ended connection is not an unreachable server"
    kept.close()


def test_readonly_cannot_write(database: Database) -> None:
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), database.readonly() as connection:
        connection.execute("create table things (thing int)")


def test_a_server_that_takes_no_writes_for_now_is_away(database: Database) -> None:
    name = database.location.split('"')[1]
    with database.connect() as connection:
        connection.execute(f"alter database {name} set default_transaction_read_only = on")
    with pytest.raises(StoreUnavailableError, match="read-only transaction"), database.connect() as connection:
        connection.execute("create table things (thing int)")


@pytest.mark.parametrize("limit", ["idle_in_transaction_session_timeout", "transaction_timeout"])
def test_a_server_that_ends_a_session_is_away(database: Database, limit: str) -> None:
    def dawdle() -> None:
        with database.connect() as connection:
            connection.execute(f"set local {limit} = 50")
            time.sleep(0.5)
            connection.execute("select 1")

    with pytest.raises(StoreUnavailableError, match="timeout"):
        dawdle()


def test_a_transaction_costs_milliseconds(database: Database) -> None:
    start = time.perf_counter()
    for _ in range(20):
        with database.connect() as connection:
            connection.execute("select 1")
    milliseconds = (time.perf_counter() - start) / 20 * 1000
    print(f"connect, query, commit, close: {milliseconds:.1f} ms")
    assert milliseconds < 100


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hunter2@127.0.0.1:1/rl",  # nothing listens
        "postgresql://someone:hunter2@no-such-host.invalid/rl",
        "postgresql://someone:hunter2/x@127.0.0.1:1/rl",  # an unescaped slash ends the host
        "postgresql://someone:hunter2@x@127.0.0.1:1/rl",
        "postgresql://someone:hunter2@127.0.0.1:port/rl",
        "postgresql://someone:hunter2@127.0.0.1:1/rl?no_such_option=1",
        "host=127.0.0.1 port=1 password=hunter2 dbname=rl",
        "hunter2",
    ],
)
def test_an_unreachable_server_is_said_in_time_and_without_the_password(url: str) -> None:
    start = time.monotonic()
    with pytest.raises(StoreUnavailableError) as caught, Database(url).connect():
        pytest.fail("connected")
    assert time.monotonic() - start < CONNECT_TIMEOUT_SECONDS + 2
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(Database(url))
    assert "RLSWEEP_DATABASE_URL" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_message_names_database_and_host() -> None:
    with (
        pytest.raises(StoreUnavailableError, match=r'"rl" at 127.0.0.1:1: .*[Cc]onnection refused'),
        Database("postgresql://someone:hunter2@127.0.0.1:1/rl").connect(),
    ):
        pytest.fail("connected")


def test_a_server_that_says_nothing_is_given_up_in_time() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        start = time.monotonic()
        with (
            pytest.raises(StoreUnavailableError),
            Database(f"postgresql://someone@127.0.0.1:{silent.getsockname()[1]}/rl").connect(),
        ):
            pytest.fail("connected")
    assert time.monotonic() - start < CONNECT_TIMEOUT_SECONDS + 2


def test_a_wrong_password_is_said_without_the_right_one(password_server: Database) -> None:
    wrong = quote("hunter2@home", safe="")
    parts = conninfo_to_dict(password_server.url)
    url = f"postgresql://someone:{wrong}@{parts['host']}:{parts['port']}/postgres"
    with (
        pytest.raises(StoreUnavailableError, match="password authentication failed") as caught,
        Database(url).connect(),
    ):
        pytest.fail("connected")
    assert "hunter2" not in str(caught.value)


def test_too_many_connections_is_unavailable(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("create role limited login connection limit 0")
        connection.execute("alter role limited password 'x'")
    limited = Database(make_conninfo(database.url, user="limited", password="x"))
    try:
        with pytest.raises(StoreUnavailableError, match="too many connections"), limited.connect():
            pytest.fail("connected")
    finally:
        with database.connect() as connection:
            connection.execute("drop role limited")


def test_a_connection_lost_on_the_way_is_unavailable(database: Database) -> None:
    with pytest.raises(StoreUnavailableError), database.connect() as connection:
        connection.execute("select pg_terminate_backend(pg_backend_pid())")


def test_a_user_without_rights_is_told_so(database: Database) -> None:
    with (
        pytest.raises(StoreUnavailableError, match="permission denied"),
        database.connect() as connection,
    ):
        connection.execute("set role pg_monitor; select * from sweeps")


def test_psql_opens_it_with_the_password_off_the_command_line(database: Database) -> None:
    command, environment = psql_command(database)
    assert "s3cret" not in " ".join(command)
    done = subprocess.run(
        [*command, "-XAtc", "select count(*) from sweeps"], env=environment, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)
