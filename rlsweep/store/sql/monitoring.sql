-- name: list_unfinished
-- The newest unfinished sweeps: how far each has come, and the seconds since its driver's last heartbeat, or since the
-- sweep was made if it never had a driver, or since the start of the server if that is later.
select
    sweeps.name,
    counted.runs_by_status,
    counted.env_steps,
    extract(epoch from clock_timestamp() - last_sign(coalesce(sweeps.heartbeat_at, sweeps.created_at)))::double precision
        as driver_silent_seconds
from sweeps
cross join lateral (
    select
        coalesce(jsonb_object_agg(by_status.status, by_status.runs), '{}') as runs_by_status,
        coalesce(sum(by_status.env_steps), 0)::bigint as env_steps
    from (
        select status, count(*) as runs, sum(env_steps) as env_steps
        from training_runs
        where sweep_id = sweeps.id
        group by status
    ) as by_status
) as counted
where sweeps.status in ('pending', 'running')
order by sweeps.created_at desc, sweeps.id
limit %(limit)s
