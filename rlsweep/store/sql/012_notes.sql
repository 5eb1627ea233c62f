-- What people write about a sweep or a run: a note, and tags. `note_version` counts the changes of either, so that whoever
-- changes what somebody else has changed meanwhile is told.
alter table sweeps
    add column note text not null default '' check (length(note) <= 4000),
    add column tags text[] not null default '{}' check (cardinality(tags) <= 20),
    add column note_version integer not null default 0;

drop view run_records;

-- The environment's id gets a column of its own, which the list filters by; the search looks at it and at the note too. A
-- generated column cannot look into an array: the search looks at the tags themselves.
alter table training_runs
    add column note text not null default '' check (length(note) <= 4000),
    add column tags text[] not null default '{}' check (cardinality(tags) <= 20),
    add column note_version integer not null default 0,
    add column environment text generated always as (config #>> '{training,environment,id}') stored,
    drop column search;

alter table training_runs add column search text generated always as (
    lower(
        config_short_name || ' ' || config_name || ' ' || agent_id || ' ' || algorithm || ' '
        || coalesce(config #>> '{training,environment,id}', '') || ' '
        || left(coalesce(config #>> '{agent,description}', ''), 2000) || ' ' || note
    )
) stored;

create index training_runs_by_environment_start
    on training_runs (environment, (coalesce(started_at, created_at)), id);
create index training_runs_by_config on training_runs (config_hash, id);

-- Few runs have tags: a flush of the others leaves this index alone.
create index training_runs_by_tags on training_runs using gin (tags) where tags <> '{}';

-- A view of a list or a comparison under a name: the page and the query of its address.
create table saved_views (
    id         uuid primary key,
    name       text not null check (length(name) between 1 and 80),
    page       text not null check (page in ('runs', 'sweeps', 'compare')),
    query      text not null check (length(query) <= 16000),
    version    integer not null default 1,
    created_at timestamptz not null default now()
);

create unique index saved_views_by_name on saved_views (lower(name));

-- All that lists, pages and commands show of a training run, under the names of the records in rlsweep/runs.py: a list
-- reads the columns of RunSummary, whatever shows one run all of them.
create view run_records as
select
    run.id,
    run.sweep_id,
    sweeps.name as sweep_name,
    run.position,
    run.agent_id,
    run.algorithm,
    run.version,
    run.sweep_variant,
    run.config_name,
    run.config_short_name,
    run.config_path,
    run.config_hash,
    run.seed,
    run.config ->> 'mode' as mode,
    run.environment,
    budget.episodes as budget_episodes,
    budget.total_timesteps as budget_total_timesteps,
    run.status,
    run.stop_requested,
    run.attempt,
    run.created_at,
    run.heartbeat_at,
    run.started_at,
    run.ended_at,
    extract(epoch from coalesce(run.ended_at, now()) - run.started_at)::double precision as seconds,
    run.episodes,
    run.updates,
    run.env_steps,
    case
        when run.status = 'completed' then 1
        when budget.episodes is not null or budget.total_timesteps is not null then least(1, greatest(
            run.episodes / budget.episodes::double precision,
            run.env_steps / budget.total_timesteps::double precision
        ))
    end::double precision as progress,
    run.mean_reward,
    run.win_rate,
    run.mean_length,
    run.steps_per_second,
    run.end_reason,
    -- the last line that is not empty, which of a traceback tells what it was; a part of it where it is very long
    btrim((regexp_match(right(run.error, 2000), '([^\n\r]*\S)\s*$'))[1]) as error,
    run.error as error_text,
    run.trial_key,
    run.config,
    run.weights_from,
    run.begins_anew,
    run.actor_cluster,
    run.actor_id,
    run.actor_node,
    run.actor_pid,
    run.metadata,
    run.pause_at,
    run.note,
    run.tags,
    run.note_version
from training_runs as run
cross join lateral (
    select
        nullif((run.config #>> '{budget,episodes}')::bigint, 0) as episodes,
        nullif((run.config #>> '{budget,total_timesteps}')::bigint, 0) as total_timesteps
) as budget
left join sweeps on sweeps.id = run.sweep_id;
