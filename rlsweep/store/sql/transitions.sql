-- name: insert_runs
-- Insert planned runs in the given order, one array per column: a thousand runs are one statement.
insert into training_runs (
    id, sweep_id, position, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name,
    config_path, config, config_hash, seed, pause_at
)
select
    planned.id, %(sweep_id)s::uuid, %(first_position)s - 1 + planned.position, planned.trial_key, planned.agent_id, planned.algorithm,
    planned.version, planned.sweep_variant, planned.config_name, planned.config_short_name, planned.config_path,
    planned.config, planned.config_hash, planned.seed, planned.pause_at
from unnest(
    %(id)s::uuid[], %(trial_key)s::text[], %(agent_id)s::text[], %(algorithm)s::text[], %(version)s::integer[],
    %(sweep_variant)s::text[], %(config_name)s::text[], %(config_short_name)s::text[], %(config_path)s::text[],
    %(config)s::jsonb[], %(config_hash)s::text[], %(seed)s::bigint[], %(pause_at)s::double precision[]
) with ordinality as planned (
    id, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name, config_path,
    config, config_hash, seed, pause_at, position
)

-- name: set_weights_from
-- Set the file whose policy weights a new run begins with; null for random weights.
update training_runs set weights_from = %(weights_from)s where id = %(id)s

-- name: begin_attempt
-- Begin the next attempt; writes of earlier attempts are refused from now on. The first attempt's command is kept,
-- because the command of a later attempt does not tell how the run began.
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
-- Read the columns that decide whether the run may change, and lock its row until the transaction ends.
select id, sweep_id, status, stop_requested, attempt, end_reason, begins_anew
from training_runs
where id = %(id)s for no key update

-- name: end_run
-- End a run, with any status; a paused run that is stopped keeps the time of its pause.
update training_runs
set
    status = %(status)s, end_reason = %(end_reason)s, error = %(error)s,
    ended_at = coalesce(ended_at, clock_timestamp())
where id = %(id)s

-- name: set_counters
-- Set the counters of a completed or paused run; an earlier attempt may have had larger ones.
update training_runs
set episodes = %(episodes)s, updates = %(updates)s, env_steps = %(env_steps)s
where id = %(id)s

-- name: ask_run_to_stop
-- Request a stop; the worker reads it in its next flush.
update training_runs set stop_requested = true where id = %(id)s

-- name: stop_runs_of_sweep
-- Stop pending runs at once, request running ones to stop; stop paused ones unless the sweep is completed.
update training_runs
set
    stop_requested = true,
    status = case when status = 'running' then status else 'stopped' end,
    end_reason = case when status <> 'running' then 'stopped' end,
    ended_at = case when status <> 'running' then coalesce(ended_at, clock_timestamp()) end
where sweep_id = %(sweep_id)s
  and (
      status in ('pending', 'running')
      or (status = 'paused' and not exists (select from sweeps where id = %(sweep_id)s and status = 'completed'))
  )
returning status

-- name: reopen_run
-- Make the run pending again, to train to its end, perhaps with a larger budget; its records stay.
update training_runs
set
    status = 'pending', stop_requested = false, ended_at = null, end_reason = null, error = null, pause_at = null,
    config = %(config)s
where id = %(id)s

-- name: schedule_run
-- Make the run pending with this pause; its records stay. Not while a stop of its sweep is requested.
update training_runs
set
    status = 'pending', stop_requested = false, ended_at = null, end_reason = null, error = null,
    pause_at = %(pause_at)s
where id = %(id)s
  and not exists (select from sweeps where sweeps.id = training_runs.sweep_id and sweeps.stop_requested)

-- name: take_up_runs
-- Like reopen_run, for all of a sweep's runs in some statuses; a running run only if its worker is known to be gone, or
-- may be lost and its heartbeat is old. Selects no run if a stop was requested since the sweep was assigned.
update training_runs
set status = 'pending', stop_requested = false, ended_at = null, end_reason = null, error = null
where sweep_id = %(sweep_id)s
  and status = any(%(statuses)s)
  and not exists (select from sweeps where id = %(sweep_id)s and stop_requested)
  and (
      status <> 'running'
      or id = any(%(gone)s)
      or (id = any(%(lost)s) and last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s))
  )
returning id

-- name: reopen_race
-- A decided race whose runs train again is undecided: its decision does not know what they will score.
update races set stop = null where sweep_id = %(sweep_id)s

-- name: reopen_scheduler
-- Nor does a scheduler's last decision.
update schedulers set stop = null where sweep_id = %(sweep_id)s

-- name: forget_checkpoints
-- Delete checkpoint records of runs that start from the beginning; the new attempts delete the files at their first save.
delete from checkpoints where run_id = any(%(ids)s)

-- name: begin_anew
-- The next attempt starts from the beginning.
update training_runs set begins_anew = true where id = any(%(ids)s)

-- name: revive_run
-- Set an abandoned run to running: its worker is alive.
update training_runs
set status = 'running', ended_at = null, end_reason = null, error = null
where id = %(id)s

-- name: revive_sweep
-- Set the sweep to running: one of its runs continues.
update sweeps set status = 'running', finished_at = null where id = %(id)s and status not in ('pending', 'running')

-- name: end_abandoned_runs
-- End runs whose worker has no recent heartbeat and whose sweep has no live driver. A locked row is being written, so its
-- worker is alive. After an outage, the age of a heartbeat counts from the restart of the server.
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
