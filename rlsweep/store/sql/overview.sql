-- name: count_by_status
-- How many runs of the sweep there are in each status, from the index alone.
select status, count(*) as runs from training_runs where sweep_id = %(sweep_id)s group by status

-- name: list_foremost
-- So many runs of the sweep, by the order in which their statuses are given, then of the plan. Of each status no more
-- are looked at than are wanted in all.
select run.*
from unnest(%(statuses)s::text[]) with ordinality as wanted (status, rank)
cross join lateral (
    select id, position
    from training_runs
    where sweep_id = %(sweep_id)s and status = wanted.status
    order by position
    limit %(limit)s
) as foremost
join run_records as run using (id)
order by wanted.rank, foremost.position
limit %(limit)s

-- name: sum_recorded
-- What all runs of the sweep have recorded.
select coalesce(sum(episodes), 0)::bigint as episodes, coalesce(sum(env_steps), 0)::bigint as env_steps
from training_runs
where sweep_id = %(sweep_id)s
