-- name: count_by_status
-- Number of the sweep's runs in each status, read only from the index.
select status, count(*) as runs from training_runs where sweep_id = %(sweep_id)s group by status

-- name: list_foremost
-- The first runs of the sweep, in the given order of statuses, then in the order of the plan. At most `limit` runs
-- of each status are read.
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
-- Sums over all runs of the sweep.
select coalesce(sum(episodes), 0)::bigint as episodes, coalesce(sum(env_steps), 0)::bigint as env_steps
from training_runs
where sweep_id = %(sweep_id)s
