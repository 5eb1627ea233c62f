-- name: insert_sweep
-- Insert a planned sweep.
insert into sweeps (
    id, name, patterns, mode, budget, seeds, base_config, base_config_path, overrides, git_commit, git_dirty, versions,
    confirms, space
)
values (
    %(id)s, %(name)s, %(patterns)s, %(mode)s, %(budget)s, %(seeds)s, %(base_config)s, %(base_config_path)s,
    %(overrides)s, %(git_commit)s, %(git_dirty)s, %(versions)s, %(confirms)s, %(space)s
)
returning *

-- name: get_sweep
-- One sweep by its id.
select * from sweeps where id = %(id)s

-- name: get_sweep_by_name
-- One sweep by its exact name.
select * from sweeps where name = %(name)s

-- name: list_sweeps_in_id_range
-- The sweeps with an id in a range; a range can use the primary key.
select * from sweeps where id between %(low)s and %(high)s order by created_at desc limit 20

-- name: get_latest_sweep
-- The newest sweep.
select * from sweeps order by created_at desc, id limit 1

-- name: list_confirmations
-- The sweeps that check a sweep's choice on held-out seeds.
select * from sweeps where confirms = %(id)s order by created_at desc, id

-- name: list_recent_names
-- Names to suggest for a misspelled one.
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
from (
    select * from sweeps where tags @> %(tags)s::text[] order by created_at desc, id limit %(limit)s
) as recent
order by recent.created_at desc, recent.id

-- name: find_unfinished
-- The newest sweep that began with exactly the given runs, unfinished ones among them, and has no live driver. A member of
-- a population that became a copy has another config since.
with planned as (
    select * from unnest(%(trial_key)s::text[], %(config)s::jsonb[]) as planned (trial_key, config)
), alike as (
    select run.sweep_id
    from training_runs as run
    left join lateral (
        select config_before from exploits where exploits.run_id = run.id order by env_steps limit 1
    ) as copied on true
    left join planned
        on planned.trial_key = run.trial_key and planned.config = coalesce(copied.config_before, run.config)
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
left join schedulers as scheduler on scheduler.sweep_id = sweeps.id
where (
    sweeps.driver is null
    or sweeps.driver = any(%(gone)s)
    or last_sign(sweeps.heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
)
  and %(scheduler)s::jsonb is not distinct from
      case when scheduler.kind is not null then jsonb_build_array(scheduler.kind, scheduler.settings) end
order by sweeps.created_at desc, sweeps.id
limit 1

-- name: assign
-- Set the sweep's resources and address and make it pending, unless it has a live driver.
update sweeps
set
    resources = %(resources)s, address = %(address)s, status = 'pending', finished_at = null, driver = null,
    stop_requested = false
where id = %(id)s
  and (
      driver is null or driver = any(%(gone)s)
      or last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
  )
returning *

-- name: request_stop
-- Tells a driver that starts later not to run anything: it would otherwise resume the stopped runs.
update sweeps set stop_requested = true where id = %(id)s

-- name: get_stop_requested
-- Whether a stop was requested since the sweep was assigned.
select stop_requested from sweeps where id = %(id)s

-- name: take_lease
-- Set the sweep's driver, unless another one has a recent heartbeat and is not known to be gone.
update sweeps
set driver = %(driver)s, heartbeat_at = clock_timestamp(), status = 'running', finished_at = null
where id = %(id)s
  and (
      driver is null or driver = %(driver)s or driver = any(%(gone)s)
      or last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
  )
returning *

-- name: renew_lease
-- The heartbeat of the driver that has the lease.
update sweeps set heartbeat_at = clock_timestamp() where id = %(id)s and driver = %(driver)s

-- name: release_lease
-- Remove the driver; another one may take the sweep at once. An unfinished sweep becomes pending.
update sweeps
set driver = null, status = case when status = 'running' then 'pending' else status end
where id = %(id)s and driver = %(driver)s

-- name: settle_sweep
-- Set the sweep's final status from its runs, if none of them is pending or running; paused ones do not matter. A decided
-- race, and a sweep whose scheduler begins nothing any more, is completed, with failed runs too: the decision has counted
-- them; a population of which every member failed is failed. One that is neither decided nor stopped needs a driver.
update sweeps
set
    status = case
        when counted.stop = 'failed' then 'failed'
        when counted.stop is not null then 'completed'
        when counted.failed > 0 then 'failed'
        when counted.stopped > 0 or counted.is_decided_upon then 'stopped'
        else 'completed'
    end,
    finished_at = coalesce(sweeps.finished_at, now())
from (
    select
        count(*) filter (where run.status in ('pending', 'running')) as unfinished,
        count(*) filter (where run.status = 'failed') as failed,
        count(*) filter (where run.status = 'stopped') as stopped,
        bool_or(race.sweep_id is not null or scheduler.sweep_id is not null) as is_decided_upon,
        coalesce(max(race.stop), max(scheduler.stop)) as stop
    from training_runs as run
    left join races as race using (sweep_id)
    left join schedulers as scheduler using (sweep_id)
    where run.sweep_id = %(id)s
) as counted
where sweeps.id = %(id)s
  and counted.unfinished = 0
  and (not counted.is_decided_upon or counted.stop is not null or counted.stopped > 0 or sweeps.stop_requested)
