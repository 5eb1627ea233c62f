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

-- name: get_run
-- One run by its id.
select * from training_runs where id = %(id)s

-- name: list_runs_in_id_range
-- The runs whose id starts as given, as a range so that the primary key serves it.
select * from training_runs where id between %(low)s and %(high)s order by created_at desc limit 20

-- name: list_runs
-- The newest runs; a filter that is null lets all pass.
select *
from training_runs
where (%(sweep_id)s::uuid is null or sweep_id = %(sweep_id)s::uuid)
  and (%(agent_id)s::text is null or agent_id = %(agent_id)s::text)
  and (%(status)s::text is null or status = %(status)s::text)
order by created_at desc, position, id
limit %(limit)s::bigint

-- name: list_runs_of_sweep
-- All runs of a sweep in the order of its plan.
select * from training_runs where sweep_id = %(sweep_id)s order by position

-- name: list_unfinished_ids
-- The runs of a sweep that a worker has yet to end, in the order of the plan.
select id from training_runs where sweep_id = %(sweep_id)s and status in ('pending', 'running') order by position

-- name: list_running
-- The runs of a sweep that have a worker, or had one that said nothing of its end.
select * from training_runs where sweep_id = %(sweep_id)s and status = 'running' order by position

-- name: list_stopping
-- Those of them that were asked to stop.
select * from training_runs
where sweep_id = %(sweep_id)s and status = 'running' and stop_requested
order by position

-- name: list_ids_of_sweep
-- The ids alone, in the order of the plan.
select id from training_runs where sweep_id = %(sweep_id)s order by position

-- name: list_chosen_runs
-- Runs by their ids, in the order given.
select training_runs.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (id, place)
join training_runs using (id)
order by place

-- name: get_base_run
-- The run of an agent's base config that a variant is set against: of the same sweep before others, then the newest.
select *
from training_runs
where agent_id = %(agent_id)s and sweep_variant is null
order by sweep_id is not distinct from %(sweep_id)s::uuid desc, coalesce(started_at, created_at) desc, id
limit 1

-- name: lock_run
-- The run's row, held until the transaction ends, so that its status and attempt stay what they are.
select * from training_runs where id = %(id)s for no key update

-- name: begin_attempt
-- A worker takes the run up; an older attempt that still writes is refused from here on. Of what that noted, the
-- command stays: going on with a run does not tell how it was begun.
update training_runs
set
    attempt = attempt + 1,
    status = 'running',
    started_at = coalesce(started_at, clock_timestamp()),
    heartbeat_at = clock_timestamp(),
    ended_at = null,
    error = null,
    metadata = %(metadata)s || jsonb_strip_nulls(
        jsonb_build_object(
            'first_command', coalesce(metadata -> 'first_command', metadata -> 'command'),
            'weights_from', metadata -> 'weights_from'
        )
    )
where id = %(id)s
returning *

-- name: end_run
-- The end of a run, whichever it is.
update training_runs
set status = %(status)s, error = %(error)s, ended_at = clock_timestamp()
where id = %(id)s
returning *

-- name: set_counters
-- A completed run's, which an older attempt may have gone beyond.
update training_runs
set episodes = %(episodes)s, updates = %(updates)s, env_steps = %(env_steps)s
where id = %(id)s

-- name: ask_run_to_stop
-- The worker reads this in its next flush.
update training_runs set stop_requested = true where id = %(id)s returning *

-- name: stop_runs_of_sweep
-- Runs that nobody has taken up are stopped at once, running ones are asked to.
update training_runs
set
    stop_requested = true,
    status = case when status = 'pending' then 'stopped' else status end,
    ended_at = case when status = 'pending' then clock_timestamp() end
where sweep_id = %(sweep_id)s and status in ('pending', 'running')
returning status

-- name: reopen_run
-- Back to waiting for a worker, perhaps with a larger budget; what it recorded stays.
update training_runs
set status = 'pending', stop_requested = false, ended_at = null, error = null, config = %(config)s
where id = %(id)s
returning *

-- name: take_up_runs
-- As reopen_run, for all of a sweep's runs in some statuses; a running one only if it is among those given, and once
-- its worker is silent. None where the sweep was asked to stop since it was handed over.
update training_runs
set status = 'pending', stop_requested = false, ended_at = null, error = null
where sweep_id = %(sweep_id)s
  and status = any(%(statuses)s)
  and not exists (select from sweeps where id = %(sweep_id)s and stop_requested)
  and (
      status <> 'running'
      or (id = any(%(lost)s) and last_sign(heartbeat_at) < clock_timestamp() - make_interval(secs => %(patience_seconds)s))
  )
returning id

-- name: forget_checkpoints
-- Of runs that begin anew; their files go as the new attempts write their own.
delete from checkpoints where run_id = any(%(ids)s)

-- name: note
-- Something that the next attempt has to know.
update training_runs set metadata = metadata || %(note)s where id = any(%(ids)s)

-- name: get_run_of_checksum
-- The run that wrote a file with this content, wherever the file lies now.
select training_runs.*
from checkpoints
join training_runs on training_runs.id = checkpoints.run_id
where checkpoints.sha256 = %(sha256)s
order by checkpoints.created_at desc
limit 1

-- name: revive_run
-- It was taken for abandoned, and is not.
update training_runs set status = 'running', ended_at = null, error = null where id = %(id)s returning *

-- name: revive_sweep
-- One of its runs goes on.
update sweeps set status = 'running', finished_at = null where id = %(id)s and status not in ('pending', 'running')

-- name: end_abandoned_runs
-- Runs on which nobody works any more: their worker is silent, and so is their sweep's driver, if they have one.
-- A row that is locked is being written, so its worker lives. After an outage silence counts from the server's return.
update training_runs
set
    status = 'stopped',
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
returning *
