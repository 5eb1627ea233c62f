import os
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rlsweep.errors import SchemaError
from rlsweep.store import schema, sweeps
from rlsweep.store.database import Database

pytestmark = pytest.mark.integration

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


def test_missing_tables_are_named_with_the_way_out(empty_database: Database) -> None:
    with pytest.raises(SchemaError, match="rlsweep db upgrade"):
        sweeps.list_recent(empty_database)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(template: Database, encoding: str) -> None:
    name = f"{encoding.lower()}_{os.getpid()}"
    with psycopg.connect(make_conninfo(template.url, dbname="template1"), autocommit=True) as server:
        server.execute(f"create database {name} encoding '{encoding}' locale 'C' template template0")
        try:
            with pytest.raises(SchemaError, match=f"keeps text as {encoding}, .* createdb --encoding=UTF8"):
                schema.upgrade(Database(make_conninfo(template.url, dbname=name)))
        finally:
            server.execute(f"drop database {name} with (force)")


def test_text_is_read_as_it_was_written_whatever_the_client_encoding_is_said_to_be(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    with database.readonly() as connection:
        assert connection.execute("select %s as text", ["é→"]).fetchone() == {"text": "é→"}
