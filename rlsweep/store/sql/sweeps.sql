-- name: insert_sweep
-- A sweep as planned.
insert into sweeps (
    id, name, patterns, mode, budget, seeds, base_config, base_config_path, overrides, git_commit, git_dirty, versions
)
values (
    %(id)s, %(name)s, %(patterns)s, %(mode)s, %(budget)s, %(seeds)s, %(base_config)s, %(base_config_path)s,
    %(overrides)s, %(git_commit)s, %(git_dirty)s, %(versions)s
)
returning *

-- name: get_sweep
-- One sweep by its id.
select * from sweeps where id = %(id)s

-- name: get_timed_sweep
-- One sweep by its id, with the seconds from its submission to its end, or to now.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where id = %(id)s

-- name: get_sweep_by_name
-- One sweep by its exact name.
select * from sweeps where name = %(name)s

-- name: list_sweeps_in_id_range
-- The sweeps whose id starts as given, as a range so that the primary key serves it.
select * from sweeps where id between %(low)s and %(high)s order by created_at desc limit 20

-- name: get_latest_sweep
-- The newest sweep.
select * from sweeps order by created_at desc, id limit 1

-- name: list_recent_names
-- Names to suggest where one was misspelled.
select name from sweeps order by created_at desc limit 1000

-- name: list_recent_sweeps
-- The newest sweeps, each with the number of its runs by status.
select
    recent.*,
    coalesce(
        (
            select jsonb_object_agg(counted.status, counted.runs)
            from (
                select status, count(*) as runs from training_runs where sweep_id = recent.id group by status
            ) as counted
        ),
        '{}'
    ) as runs_by_status
from (select * from sweeps order by created_at desc, id limit %(limit)s) as recent
order by recent.created_at desc, recent.id

-- name: list_page
-- Sweeps, newest first, behind the one that the page before ended with; a filter that is null lets all pass.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and (%(words)s::text is null or strpos(lower(name), lower(%(words)s::text)) > 0)
  and (%(after_id)s::uuid is null or (created_at, id) < (%(after_created_at)s::timestamptz, %(after_id)s::uuid))
order by created_at desc, id desc
limit %(limit)s

-- name: count_matching
-- How many sweeps the filters of list_page let through.
select count(*) as sweeps
from sweeps
where (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and (%(words)s::text is null or strpos(lower(name), lower(%(words)s::text)) > 0)

-- name: list_standings
-- Where the runs of these sweeps stand, a row a sweep and status; `share` is how much of their budgets is spent.
select
    sweep_id, status, count(*) as runs, sum(episodes)::bigint as episodes, sum(env_steps)::bigint as env_steps,
    sum(
        case when status in ('completed', 'stopped', 'failed') then 1 else coalesce(progress, 0) end
    )::double precision as share
from run_records
where sweep_id = any(%(sweep_ids)s)
group by sweep_id, status

-- name: find_unfinished
-- The newest sweep whose runs are those given, all of them and no other, with runs left to finish and no live driver.
with planned as (
    select * from unnest(%(trial_key)s::text[], %(config)s::jsonb[]) as planned (trial_key, config)
), alike as (
    select run.sweep_id
    from training_runs as run
    left join planned using (trial_key, config)
    where run.sweep_id in (
        select sweep_id from training_runs where trial_key = (%(trial_key)s::text[])[1] and sweep_id is not null
    )
    group by run.sweep_id
    having bool_and(planned.trial_key is not null)
       and count(*) = (select count(*) from planned)
       and bool_or(run.status in ('pending', 'running', 'stopped'))
)
select sweeps.*
from sweeps
join alike on alike.sweep_id = sweeps.id
where sweeps.driver is null or last_sign(sweeps.heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
order by sweeps.created_at desc, sweeps.id
limit 1

-- name: assign
-- It waits for a driver from now on, which is told what trials ask of Ray; unless it has one that gives signs of life.
update sweeps
set
    resources = %(resources)s, address = %(address)s, status = 'pending', finished_at = null, driver = null,
    stop_requested = false
where id = %(id)s
  and (driver is null or last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s))
returning *

-- name: request_stop
-- For a driver that has yet to begin: of runs that are stopped already it would take up what nobody wants any more.
update sweeps set stop_requested = true where id = %(id)s

-- name: get_stop_requested
-- Whether it was noted since the sweep was handed over.
select stop_requested from sweeps where id = %(id)s

-- name: take_lease
-- Become the sweep's driver, unless another one gave a sign of life lately.
update sweeps
set driver = %(driver)s, heartbeat_at = clock_timestamp(), status = 'running', finished_at = null
where id = %(id)s
  and (
      driver is null or driver = %(driver)s
      or last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
  )
returning *

-- name: renew_lease
-- A sign of life of the driver that holds the lease.
update sweeps set heartbeat_at = clock_timestamp() where id = %(id)s and driver = %(driver)s

-- name: release_lease
-- The driver leaves; another may take the sweep at once, and has to where it is not finished.
update sweeps
set driver = null, status = case when status = 'running' then 'pending' else status end
where id = %(id)s and driver = %(driver)s

-- name: settle_sweep
-- Give the sweep the status that its runs amount to, once none of them is pending or running.
update sweeps
set
    status = case when counted.failed > 0 then 'failed' when counted.stopped > 0 then 'stopped' else 'completed' end,
    finished_at = coalesce(sweeps.finished_at, now())
from (
    select
        count(*) filter (where status in ('pending', 'running')) as unfinished,
        count(*) filter (where status = 'failed') as failed,
        count(*) filter (where status = 'stopped') as stopped
    from training_runs
    where sweep_id = %(id)s
) as counted
where sweeps.id = %(id)s and counted.unfinished = 0
