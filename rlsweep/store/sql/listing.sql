-- name: list_page
-- One page of the list. The order and the conditions come from the tables in listing.py, the values as parameters.
-- First the ids alone, from the index of the order, then what is shown of them.
with page as (
    select run.id, {key} as key
    from {source}
    where {conditions}
    order by {key} {direction}, run.id {direction}
    limit %(limit)s
)
select {columns}, page.key
from page
join run_records as run using (id)
order by page.key {direction}, run.id {direction}

-- name: count_runs
-- How many runs the filters let through.
select count(*) as runs from training_runs as run where {conditions}

-- name: now
-- The database's clock, as `list_page` reads it.
select now() as now

-- name: list_agents
-- Every agent with the number of its runs, the one last used first.
select agent_id, count(*) as runs, max(coalesce(started_at, created_at)) as latest_at
from training_runs
group by agent_id
order by latest_at desc, agent_id

-- name: sample_rewards
-- For each run so many points, evenly spaced over its episodes: the mean reward of the few that end there.
select wanted.position, sampled.point, sampled.reward
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
join training_runs as run on run.id = wanted.run_id and run.episodes > 0
cross join generate_series(1, %(points)s::integer) as point
cross join lateral (
    select point, avg(reward) as reward
    from episodes
    where episodes.run_id = run.id
      and episode <= (run.episodes * point + %(points)s - 1) / %(points)s
      and episode > (run.episodes * point + %(points)s - 1) / %(points)s - %(width)s
) as sampled
order by wanted.position, sampled.point
