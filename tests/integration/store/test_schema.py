import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from rlsweep.errors import SchemaError
from rlsweep.locks import try_lock
from rlsweep.store import schema, sweeps, training_runs
from rlsweep.store.database import Database

SERVERS = ("embedded", "by URL")

pytestmark = pytest.mark.integration

OLDER_ABANDONED = (
    "Its process ended without a word; it was killed, or its machine went down. "
    "What it recorded is kept, and its last checkpoint can be gone on from."
)

OLDER_ROWS = """
insert into sweeps (id, name, patterns, mode, budget, seeds, base_config, overrides, versions)
values ('00000000-0000-0000-0000-000000000001', 'night', '[]', 'smoke', '{}', '[0]', '{}', '[]', '{}');
insert into training_runs (
    id, sweep_id, position, agent_id, algorithm, version, config_name, config_short_name, config_path, config,
    config_hash, seed, metadata
)
values (
    '00000000-0000-0000-0000-000000000002', '00000000-0000-0000-0000-000000000001', 1, 'a', 'PPO', 1, 'A', 'a',
    'a.yaml', '{}', 'x', 0, '{"host": "here"}'
)
"""

EVERYTHING = """
select table_name, column_name, data_type, column_default, is_nullable, generation_expression as definition
from information_schema.columns where table_schema = 'public'
union all
select conrelid::regclass::text, conname, null, null, null, pg_get_constraintdef(oid)
from pg_constraint where connamespace = 'public'::regnamespace
union all
select tablename, indexname, null, null, null, indexdef from pg_indexes where schemaname = 'public'
order by 1, 2, 6
"""


def test_files_are_numbered_without_a_gap() -> None:
    assert [migration.version for migration in schema.migrations()] == list(range(1, len(schema.migrations()) + 1))


def test_an_empty_database_has_version_0_and_gets_the_newest(empty_database: Database) -> None:
    newest = schema.migrations()[-1].version
    assert schema.schema_version(empty_database) == 0
    assert schema.upgrade(empty_database) == newest
    assert schema.upgrade(empty_database) == newest
    assert schema.schema_version(empty_database) == newest


def test_from_scratch_equals_file_by_file(
    database: Database, empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = schema.migrations()
    for count in range(1, len(known) + 1):
        monkeypatch.setattr(schema, "migrations", lambda count=count: known[:count])
        assert schema.upgrade(empty_database) == count
    with database.readonly() as at_once, empty_database.readonly() as step_by_step:
        expected = at_once.execute(EVERYTHING).fetchall()
        assert len(expected) > 50
        assert step_by_step.execute(EVERYTHING).fetchall() == expected


def test_eight_upgrades_at_once(empty_database: Database) -> None:
    newest = schema.migrations()[-1].version
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(schema.upgrade, [empty_database] * 8)) == [newest] * 8
    with empty_database.readonly() as connection:
        applied = [row["version"] for row in connection.execute("select version from schema_versions order by 1")]
    assert applied == list(range(1, newest + 1))


def test_a_newer_schema_is_refused(database: Database) -> None:
    with database.connect() as connection:
        connection.execute("insert into schema_versions (version, name) values (99, 'from_the_future')")
    with pytest.raises(SchemaError, match="schema version 99; this rlsweep knows versions up to"):
        schema.upgrade(database)


@pytest.fixture
def older_database(empty_database: Database, monkeypatch: pytest.MonkeyPatch) -> Database:
    """A database of version 0.1, with one sweep of one run."""
    with monkeypatch.context() as patch:
        known = schema.migrations()
        patch.setattr(schema, "migrations", lambda: known[:6])
        assert schema.upgrade(empty_database) == 6
    with empty_database.connect() as connection:
        connection.execute(OLDER_ROWS)
    return empty_database


@pytest.mark.parametrize(
    ("sign", "said"),
    [
        ("sweeps set driver = 'host:1', heartbeat_at = clock_timestamp()", r"sweep night \(driver host:1\)"),
        (
            "training_runs set status = 'running', heartbeat_at = clock_timestamp() - interval '50 seconds'",
            "training run 00000000 on here",
        ),
    ],
)
def test_an_older_schema_is_not_upgraded_while_a_driver_or_a_worker_is_alive(
    older_database: Database, sign: str, said: str
) -> None:
    with older_database.connect() as connection:
        connection.execute(f"update {sign}")
    with pytest.raises(SchemaError, match=f"older rlsweep still uses the database .*: {said}. Stop it .*rlsweep stop"):
        schema.upgrade(older_database)
    assert schema.schema_version(older_database) == 6
    with older_database.connect() as connection:
        connection.execute("update sweeps set heartbeat_at = clock_timestamp() - interval '16 seconds'")
        connection.execute("update training_runs set heartbeat_at = clock_timestamp() - interval '61 seconds'")
    assert schema.upgrade(older_database) == schema.migrations()[-1].version


def test_an_older_schema_is_not_upgraded_while_a_service_is_up(older_database: Database, tmp_path: Path) -> None:
    lock = tmp_path / "home" / "service" / "lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w") as file:
        assert try_lock(file.fileno())
        with pytest.raises(SchemaError, match=rf"the service of {lock.parent.parent}\. Stop it .*`rlsweep down`"):
            schema.upgrade(older_database, service_lock=lock)
        assert schema.schema_version(older_database) == 6
    assert schema.upgrade(older_database, service_lock=lock) == schema.migrations()[-1].version


def test_a_driver_that_was_about_to_begin_is_seen(older_database: Database) -> None:
    with ThreadPoolExecutor(1) as pool:
        with older_database.connect() as connection:
            connection.execute("update sweeps set driver = 'host:1', heartbeat_at = clock_timestamp()")
            upgrade = pool.submit(schema.upgrade, older_database)
            with pytest.raises(TimeoutError):
                upgrade.result(timeout=0.5)
        with pytest.raises(SchemaError, match="driver host:1"):
            upgrade.result(timeout=30)


@pytest.mark.parametrize(
    ("status", "error", "metadata", "expected"),
    [
        ("pending", None, {"begins_anew": True, "host": "here"}, (None, None, True, None, {"host": "here"})),
        ("completed", None, {"weights_from": "/a.zip"}, ("completed", "/a.zip", False, None, {})),
        ("stopped", None, {}, ("stopped", None, False, None, {})),
        ("stopped", OLDER_ABANDONED, {}, ("abandoned", None, False, None, {})),
        ("failed", "DivergedError: the loss is NaN", {}, ("diverged", None, False, None, {})),
        ("failed", "Traceback (most recent call last):\n  x\nrlsweep.errors.DivergedError: NaN", {}, ("diverged",)),
        ("failed", "Traceback (most recent call last):\n  x\nValueError: no", {}, ("failed",)),
        ("failed", "EnvironmentStateError: 'a' has no legal action", {}, ("failed",)),
        ("failed", "The trial's process died.\nThe actor died", {}, ("lost",)),
        (
            "failed",
            "The trial could not be started.",
            {"ray": {"cluster": "session_1", "actor": "a1", "node": "b2", "pid": 7}},
            ("lost", None, False, ("session_1", "a1", "b2", 7), {}),
        ),
    ],
)
def test_what_older_rows_say_in_words_is_carried_over(
    older_database: Database, status: str, error: str | None, metadata: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    with older_database.connect() as connection:
        connection.execute(
            "update training_runs set status = %s, error = %s, metadata = %s", [status, error, Jsonb(metadata)]
        )
    schema.upgrade(older_database)
    (run,) = training_runs.list_runs(older_database)
    actor = None if run.actor is None else (run.actor.cluster, run.actor.id, run.actor.node, run.actor.pid)
    found = (run.end_reason, run.weights_from, run.begins_anew, actor, run.metadata)
    assert found[: len(expected)] == expected
    assert (run.status, run.error_text) == (status, error)


def test_missing_tables_are_named_with_the_way_out(empty_database: Database) -> None:
    with pytest.raises(SchemaError, match="rlsweep db upgrade"):
        sweeps.list_recent(empty_database)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(template: Database, encoding: str) -> None:
    name = f"{encoding.lower()}_{os.getpid()}"
    with psycopg.connect(make_conninfo(template.url, dbname="template1"), autocommit=True) as server:
        server.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0")
        try:
            with pytest.raises(SchemaError, match=f"has the encoding {encoding}; .* createdb --encoding=UTF8"):
                schema.upgrade(Database(make_conninfo(template.url, dbname=name)))
        finally:
            server.execute(f"drop database {name} with (force)")


def test_text_is_read_as_it_was_written_whatever_the_client_encoding_is_said_to_be(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with database.readonly() as connection:
        assert connection.execute("select %s as text", ["é→"]).fetchone() == {"text": "é→"}
