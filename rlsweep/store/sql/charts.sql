-- name: reduce
-- Curves cut into buckets of equal width in x, each with the least, mean and greatest value and how many there are.
-- A bucket reaches from where the one before ends up to and with its own end, so the last holds the run's last row.
-- Table, x and values come from the tables in charts.py, the rest as parameters. Run by run, so that buckets alone are
-- grouped: by run and bucket it takes an eighth longer.
select wanted.position, reduced.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select {x} as last from {table} where {table}.run_id = wanted.run_id order by {order} desc limit 1
) as final
cross join lateral (
    select max({x})::double precision as x, {aggregates}
    from {table}
    where {table}.run_id = wanted.run_id
    group by {bucket}
) as reduced
order by wanted.position, reduced.x

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
-- Sum and number of the values in each bucket of a grid from 0 to the span given for the run.
select wanted.position, summed.*
from unnest(%(run_ids)s::uuid[], %(spans)s::double precision[]) with ordinality as wanted (run_id, span, position)
cross join lateral (
    select
        least(%(buckets)s, greatest(1, ceil({x} * %(buckets)s::double precision / wanted.span)))::integer as bucket,
        sum({value})::double precision as total,
        count({value}) as number
    from episodes
    where episodes.run_id = wanted.run_id
    group by 1
) as summed

-- name: list_marks
-- For each run something that changes whenever it records anything, cheap to read.
select id, concat_ws(' ', id, attempt, status, heartbeat_at, ended_at, episodes, updates) as mark
from training_runs
where id = any(%(run_ids)s)
