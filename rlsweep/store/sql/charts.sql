-- name: reduce
-- Curves cut into buckets of equal width in x, each with the least, mean and greatest value and how many there are.
-- A bucket reaches from where the one before ends up to and with its own end, so the last holds the run's last row.
-- Table, x and values come from the tables in charts.py, the rest as parameters.
select
    wanted.position, max({x})::double precision as x, {aggregates}
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select {x} as last from {table} where {table}.run_id = wanted.run_id order by {order} desc limit 1
) as final
join {table} on {table}.run_id = wanted.run_id
group by wanted.position, {bucket}
order by wanted.position, x

-- name: ends
-- Where each run's episodes end, in x.
select wanted.position, final.last
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select {x}::double precision as last
    from episodes
    where episodes.run_id = wanted.run_id
    order by episode desc
    limit 1
) as final

-- name: sums
-- Sum and number of the values in each bucket of a grid that all runs share; what is beyond its end counts as its last.
select
    wanted.position,
    least(%(buckets)s, greatest(1, ceil({x} * %(buckets)s / %(span)s::double precision)))::integer as bucket,
    sum({value})::double precision as total,
    count({value}) as number
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
join episodes on episodes.run_id = wanted.run_id
group by 1, 2
order by 1, 2

-- name: list_marks
-- For each run something that changes whenever it records anything, cheap to read.
select id, concat_ws(' ', id, attempt, status, heartbeat_at, ended_at, episodes, updates) as mark
from training_runs
where id = any(%(run_ids)s)
