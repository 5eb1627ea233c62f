-- name: lock_schema
-- Only one process at a time changes the schema; the lock ends with the transaction. The number is arbitrary.
select pg_advisory_xact_lock(7253071806)

-- name: create_schema_versions
-- The applied numbered files.
create table if not exists schema_versions (
    version    integer primary key,
    name       text not null,
    applied_at timestamptz not null default now()
)

-- name: has_schema_versions
-- Whether any file was applied; this works on an empty database too.
select to_regclass('schema_versions') is not null as present

-- name: get_schema_version
-- The number of the newest applied file; 0 before the first.
select coalesce(max(version), 0) as version from schema_versions

-- name: insert_schema_version
-- Record a file as applied.
insert into schema_versions (version, name) values (%(version)s, %(name)s)

-- name: get_encoding
-- The database's encoding.
select current_setting('server_encoding') as encoding

-- name: lock_tables
-- Block all reads and writes until the transaction ends.
lock table sweeps, training_runs in access exclusive mode

-- name: list_users
-- Sweeps whose driver, and runs whose worker, has a recent heartbeat. The age is computed as in the function last_sign,
-- which schemas before version 3 lack.
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
