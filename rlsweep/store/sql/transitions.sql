-- name: insert_runs
-- Planned runs in the order given, one array a column: a thousand runs are one statement.
insert into training_runs (
    id, sweep_id, position, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name,
    config_path, config, config_hash, seed
)
select
    planned.id, %(sweep_id)s::uuid, planned.position, planned.trial_key, planned.agent_id, planned.algorithm,
    planned.version, planned.sweep_variant, planned.config_name, planned.config_short_name, planned.config_path,
    planned.config, planned.config_hash, planned.seed
from unnest(
    %(id)s::uuid[], %(trial_key)s::text[], %(agent_id)s::text[], %(algorithm)s::text[], %(version)s::integer[],
    %(sweep_variant)s::text[], %(config_name)s::text[], %(config_short_name)s::text[], %(config_path)s::text[],
    %(config)s::jsonb[], %(config_hash)s::text[], %(seed)s::bigint[]
) with ordinality as planned (
    id, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name, config_path,
    config, config_hash, seed, position
)

-- name: set_weights_from
-- The file whose policy weights a new run begins with; null where it begins with weights of its own.
update training_runs set weights_from = %(weights_from)s where id = %(id)s

-- name: begin_attempt
-- A worker takes the run up; writes of an older attempt are refused from here on. The first attempt's command is kept:
-- the command of a later one does not tell how the run was begun.
update training_runs
set
    attempt = attempt + 1,
    status = 'running',
    started_at = coalesce(started_at, clock_timestamp()),
    heartbeat_at = clock_timestamp(),
    ended_at = null,
    end_reason = null,
    error = null,
    begins_anew = false,
    actor_cluster = %(actor_cluster)s,
    actor_id = %(actor_id)s,
    actor_node = %(actor_node)s,
    actor_pid = %(actor_pid)s,
    metadata = %(metadata)s || jsonb_strip_nulls(
        jsonb_build_object('first_command', coalesce(metadata -> 'first_command', metadata -> 'command'))
    )
where id = %(id)s

-- name: lock_run
-- What decides whether the run may change, held until the transaction ends.
select id, sweep_id, status, stop_requested, attempt, end_reason, begins_anew
from training_runs
where id = %(id)s for no key update

-- name: end_run
-- The end of a run, whichever it is.
update training_runs
set status = %(status)s, end_reason = %(end_reason)s, error = %(error)s, ended_at = clock_timestamp()
where id = %(id)s

-- name: set_counters
-- A completed run's, which an older attempt may have gone beyond.
update training_runs
set episodes = %(episodes)s, updates = %(updates)s, env_steps = %(env_steps)s
where id = %(id)s

-- name: ask_run_to_stop
-- The worker reads this in its next flush.
update training_runs set stop_requested = true where id = %(id)s

-- name: stop_runs_of_sweep
-- Pending runs are stopped at once, running ones are asked to stop.
update training_runs
set
    stop_requested = true,
    status = case when status = 'pending' then 'stopped' else status end,
    end_reason = case when status = 'pending' then 'stopped' end,
    ended_at = case when status = 'pending' then clock_timestamp() end
where sweep_id = %(sweep_id)s and status in ('pending', 'running')
returning status

-- name: reopen_run
-- Pending again, perhaps with a larger budget; its records stay.
update training_runs
set
    status = 'pending', stop_requested = false, ended_at = null, end_reason = null, error = null, config = %(config)s
where id = %(id)s

-- name: take_up_runs
-- As reopen_run, for all of a sweep's runs in some statuses; a running one only if it is among those given, and once
-- its worker is silent. None where the sweep was asked to stop since it was handed over.
update training_runs
set status = 'pending', stop_requested = false, ended_at = null, end_reason = null, error = null
where sweep_id = %(sweep_id)s
  and status = any(%(statuses)s)
  and not exists (select from sweeps where id = %(sweep_id)s and stop_requested)
  and (
      status <> 'running'
      or (id = any(%(lost)s) and last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s))
  )
returning id

-- name: forget_checkpoints
-- Of runs that begin anew; their files are deleted as the new attempts write their own.
delete from checkpoints where run_id = any(%(ids)s)

-- name: begin_anew
-- The next attempt begins from the start.
update training_runs set begins_anew = true where id = any(%(ids)s)

-- name: revive_run
-- It counted as abandoned, and its worker is alive.
update training_runs
set status = 'running', ended_at = null, end_reason = null, error = null
where id = %(id)s

-- name: revive_sweep
-- One of its runs goes on.
update sweeps set status = 'running', finished_at = null where id = %(id)s and status not in ('pending', 'running')

-- name: end_abandoned_runs
-- Runs on which nobody works any more: their worker is silent, and so is their sweep's driver, if they have one.
-- A row that is locked is being written, so its worker lives. After an outage silence counts from the server's return.
update training_runs
set
    status = 'stopped',
    end_reason = 'abandoned',
    error = %(error)s,
    ended_at = clock_timestamp()
where id in (
    select run.id
    from training_runs as run
    where run.status = 'running'
      and last_sign(run.heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s)
      and (%(sweep_id)s::uuid is null or run.sweep_id = %(sweep_id)s::uuid)
      and (%(id)s::uuid is null or run.id = %(id)s::uuid)
      and not exists (
          select
          from sweeps
          where sweeps.id = run.sweep_id
            and sweeps.driver is not null
            and last_sign(sweeps.heartbeat_at) >= clock_timestamp() - make_interval(secs => %(lease_patience_seconds)s)
      )
    for no key update skip locked
)
returning id
