-- name: list_runs_in_id_range
-- The runs with an id in a range; a range can use the primary key.
select * from run_records where id between %(low)s and %(high)s order by created_at desc limit 20

-- name: latest_version
-- The highest version of an agent; 0 without a run of it.
select coalesce(max(version), 0) as version from training_runs where agent_id = %(agent_id)s

-- name: list_runs
-- The newest runs; a null filter matches all.
select *
from run_records
where (%(sweep_id)s::uuid is null or sweep_id = %(sweep_id)s::uuid)
  and (%(agent_id)s::text is null or agent_id = %(agent_id)s::text)
  and (%(status)s::text is null or status = %(status)s::text)
  and tags @> %(tags)s::text[]
order by created_at desc, position, id
limit %(limit)s::bigint

-- name: list_runs_of_sweep
-- All runs of a sweep in the order of its plan.
select * from run_records where sweep_id = %(sweep_id)s order by position

-- name: list_unfinished_ids
-- The pending and running runs of a sweep, in the order of the plan.
select id from training_runs where sweep_id = %(sweep_id)s and status in ('pending', 'running') order by position

-- name: list_pending_ids
-- The pending runs of a sweep, in the order of the plan.
select id from training_runs where sweep_id = %(sweep_id)s and status = 'pending' order by position

-- name: list_running
-- The runs of a sweep in the status running; the worker of some may be dead.
select * from run_records where sweep_id = %(sweep_id)s and status = 'running' order by position

-- name: list_stopping
-- The running runs of a sweep with a stop request.
select * from run_records
where sweep_id = %(sweep_id)s and status = 'running' and stop_requested
order by position

-- name: list_ids_of_sweep
-- The run ids of a sweep, in the order of the plan.
select id from training_runs where sweep_id = %(sweep_id)s order by position

-- name: list_ids_of_checked_sweep
-- The same, with those of the sweeps that check its choice on held-out seeds.
select id
from training_runs
where sweep_id = any(array[%(sweep_id)s] || array(select id from sweeps where confirms = %(sweep_id)s))
order by sweep_id, position

-- name: list_chosen_runs
-- Runs by their ids, in the given order.
select run_records.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (id, place)
join run_records using (id)
order by place

-- name: get_base_run
-- The run of an agent's base config to compare a variant with: one of the same sweep first, then the newest.
select *
from run_records
where agent_id = %(agent_id)s and sweep_variant is null
order by sweep_id is not distinct from %(sweep_id)s::uuid desc, coalesce(started_at, created_at) desc, id
limit 1

-- name: get_run_of_checksum
-- The run that wrote a checkpoint with this checksum; the file may have been moved.
select run_records.*
from checkpoints
join run_records on run_records.id = checkpoints.run_id
where checkpoints.sha256 = %(sha256)s
order by checkpoints.created_at desc
limit 1
