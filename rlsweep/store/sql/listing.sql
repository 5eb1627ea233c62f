-- name: list_page
-- One page of the list. Order and conditions come from listing.py, values from parameters. The inner query reads only
-- ids, from the index of the order; the outer query reads their columns.
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
-- Number of runs that match the filters.
select count(*) as runs from training_runs as run where {conditions}

-- name: list_matching
-- The ids of at most so many runs that match the filters, each with a text that changes whenever the run records anything.
select run.id, concat_ws(' ', attempt, status, heartbeat_at, ended_at, episodes, updates) as mark
from training_runs as run
where {conditions}
limit %(limit)s

-- name: list_summaries
-- Runs by their ids, in the given order.
select {columns}
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (id, place)
join run_records as run using (id)
order by wanted.place

-- name: list_agent_configs
-- The agent configs of runs.
select id, config -> 'agent' as agent from training_runs where id = any(%(run_ids)s)

-- name: list_distinct_agent_configs
-- One agent config for each hash among the runs that match, at most so many.
select config -> 'agent' as agent
from training_runs
where id in (
    select distinct on (run.config_hash) run.id
    from training_runs as run
    where {conditions}
    order by run.config_hash, run.id
    limit %(limit)s
)

-- name: now
-- The database's clock, as in `list_page`.
select now() as now

-- name: list_agents
-- Every agent with the number of its runs, most recently used first.
select agent_id, count(*) as runs, max(coalesce(started_at, created_at)) as latest_at
from training_runs
group by agent_id
order by latest_at desc, agent_id

-- name: list_configs
-- The configs of agents, sweep by sweep, the oldest first; a run without a sweep stands alone.
select coalesce(sweep_id, id) as together, coalesce(config_path, config_short_name) as config, config_hash,
    config_short_name as name, sweep_variant is null as is_base
from training_runs
where agent_id = any(%(agent_ids)s)
group by 1, 2, 3, 4, 5
order by min(created_at), 1, 2, 3

-- name: sample_rewards
-- For each run, a number of points evenly spaced over its episodes: the mean reward of the episodes that end there.
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
