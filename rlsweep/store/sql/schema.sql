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

-- name: lock_tables
-- Nobody reads or writes them until the transaction ends.
lock table sweeps, training_runs in access exclusive mode

-- name: list_users
-- Sweeps whose driver, and runs whose worker, gave a sign of life lately. What counts as a sign is as in the function
-- last_sign, which schemas before version 3 lack.
with sign as (
    select
        case when current_setting('rlsweep.embedded', true) = 'on' then timestamptz '-infinity'
            else pg_postmaster_start_time() end as earliest,
        clock_timestamp() + interval '15 seconds' as latest
)
select 'sweep' as kind, name || ' (driver ' || driver || ')' as name, created_at
from sweeps, sign
where driver is not null
  and heartbeat_at < sign.latest
  and greatest(heartbeat_at, sign.earliest) >= clock_timestamp() - make_interval(secs => %(lease_patience_seconds)s)
union all
select 'training run' as kind, left(id::text, 8) || coalesce(' on ' || (metadata ->> 'host'), '') as name, created_at
from training_runs, sign
where status = 'running'
  and heartbeat_at < sign.latest
  and greatest(heartbeat_at, sign.earliest) >= clock_timestamp() - make_interval(secs => %(run_patience_seconds)s)
order by kind, created_at
