-- name: reduce
-- Curves in buckets of equal width in x, each with minimum, mean, maximum and number of values. A bucket includes its end
-- and excludes its start, so the last one contains the run's last row. Table, condition, x and values come from
-- charts.py, the rest from parameters. The query runs per run, so that it groups only by bucket: grouping by both takes an eighth longer.
select wanted.position, reduced.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select {x} as last from {table} where {table}.run_id = wanted.run_id and {condition} order by {order} desc limit 1
) as final
cross join lateral (
    select max({x})::double precision as x, {aggregates}
    from {table}
    where {table}.run_id = wanted.run_id and {condition}
    group by {bucket}
) as reduced
order by wanted.position, reduced.x

-- name: reward_means
-- Each run's mean reward in buckets of equal width in env steps, as in reduce: two byte strings of eight-byte values in
-- network order, so that no object is made per bucket.
select wanted.position, read.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select
        string_agg(int8send(env_steps), '' order by env_steps) as env_steps,
        string_agg(float8send(mean), '' order by env_steps) as mean
    from (
        select max(env_steps) as env_steps, sum(reward) / count(*) as mean
        from episodes
        cross join (
            select env_steps as last from episodes where episodes.run_id = wanted.run_id order by episode desc limit 1
        ) as final
        where episodes.run_id = wanted.run_id
        group by (env_steps * %(points)s::bigint - 1) / last
    ) as reduced
) as read

-- name: ends
-- The x value of each run's last episode.
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
-- Sum and number of the values in each bucket of a grid from 0 to the run's span, as byte strings like those of
-- reward_means, and whether each value is -1, 0 or 1.
select wanted.position, read.*
from unnest(%(run_ids)s::uuid[], %(spans)s::double precision[]) with ordinality as wanted (run_id, span, position)
cross join lateral (
    select
        string_agg(int8send(bucket), '') as bucket,
        string_agg(float8send(coalesce(total, 0)), '') as total,
        string_agg(int8send(number), '') as number,
        bool_and(wins_or_loses) as wins_or_loses
    from (
        select
            least(%(buckets)s, greatest(1, ceil({x} * %(buckets)s::double precision / wanted.span)))::bigint as bucket,
            sum({value})::double precision as total,
            count({value}) as number,
            bool_and({value} in (-1, 0, 1)) as wins_or_loses
        from episodes
        where episodes.run_id = wanted.run_id
        group by 1
    ) as summed
) as read

-- name: list_marks
-- For each run, a text that changes whenever the run records anything; cheap to read.
select id, concat_ws(' ', id, attempt, status, heartbeat_at, ended_at, episodes, updates) as mark
from training_runs
where id = any(%(run_ids)s)
