-- name: mark_runs
-- From here on a look at the record tells that files may be missing, whenever the deletion is cut short.
update training_runs
set error = concat_ws(E'\n', error, %(note)s::text)
where id = any(%(ids)s) and position(%(note)s::text in coalesce(error, '')) = 0

-- name: delete_runs
-- Episodes, updates, evaluations and checkpoints go with them.
delete from training_runs where id = any(%(ids)s)

-- name: delete_sweep
-- Runs that it still has go with it.
delete from sweeps where id = %(id)s

-- name: count_episodes
-- On record, of all attempts.
select count(*) as episodes from episodes where run_id = any(%(ids)s)

-- name: list_checkpoint_uris
-- Where the checkpoints of some runs lie.
select run_id, uri from checkpoints where run_id = any(%(ids)s)
