-- name: mark_runs
-- From now on, the record says that files may be missing, even if the deletion is interrupted.
update training_runs
set error = concat_ws(E'\n', error, %(note)s::text)
where id = any(%(ids)s) and position(%(note)s::text in coalesce(error, '')) = 0

-- name: delete_runs
-- Also deletes their episodes, updates, evaluations and checkpoints.
delete from training_runs where id = any(%(ids)s)

-- name: delete_tournaments
-- Delete the tournaments of which no run is left.
delete from tournaments
where not exists (
    select from tournament_players as player where player.tournament_id = tournaments.id and player.run_id is not null
)

-- name: delete_sweep
-- Also deletes its remaining runs.
delete from sweeps where id = %(id)s

-- name: count_episodes
-- Recorded episodes of all attempts.
select count(*) as episodes from episodes where run_id = any(%(ids)s)

-- name: list_checkpoint_uris
-- URIs of the runs' checkpoints.
select run_id, uri from checkpoints where run_id = any(%(ids)s)
