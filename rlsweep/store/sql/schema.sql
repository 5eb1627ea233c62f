-- name: lock_schema
-- One process at a time changes the schema; the lock ends with the transaction (any fixed number will do).
select pg_advisory_xact_lock(7253071806)

-- name: create_schema_versions
-- The record of which numbered files were applied.
create table if not exists schema_versions (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
)

-- name: has_schema_versions
-- Whether any file was ever applied, asked in a way that raises nothing on an empty database.
select to_regclass('schema_versions') is not null as present

-- name: get_schema_version
-- The number of the newest applied file; 0 before the first.
select coalesce(max(version), 0) as version from schema_versions

-- name: insert_schema_version
-- Note a file as applied.
insert into schema_versions (version, name) values (%(version)s, %(name)s)

-- name: get_encoding
-- How the database keeps text.
select current_setting('server_encoding') as encoding
