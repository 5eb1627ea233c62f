-- A run may pause at a share of its budget, with a checkpoint, and continue later: `pause_at` is that share, null for a
-- run that trains to its end. A paused run has ended its attempt and waits until somebody schedules it.
alter table training_runs
    add column pause_at double precision check (pause_at > 0 and pause_at < 1),
    drop constraint training_runs_status_check,
    drop constraint training_runs_end_reason;

alter table training_runs
    add constraint training_runs_status_check
        check (status in ('pending', 'running', 'paused', 'completed', 'stopped', 'failed')),
    add constraint training_runs_end_reason check (
        case status
            when 'paused' then end_reason is not distinct from 'paused'
            when 'completed' then end_reason is not distinct from 'completed'
            when 'stopped' then coalesce(end_reason in ('stopped', 'abandoned'), false)
            when 'failed' then coalesce(end_reason in ('lost', 'diverged', 'failed'), false)
            else end_reason is null
        end
    );

-- Two kinds of evaluations, which may come after the same update: `periodic` ones, and those for a run's `score`, with
-- seeds of their own. All evaluations of older versions are periodic.
alter table evaluations
    add column kind text not null default 'periodic' check (kind in ('periodic', 'score')),
    drop constraint evaluations_pkey,
    add primary key (run_id, kind, env_steps);

drop view run_records;

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
    run.config #>> '{training,environment,id}' as environment,
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
    run.pause_at
from training_runs as run
cross join lateral (
    select
        nullif((run.config #>> '{budget,episodes}')::bigint, 0) as episodes,
        nullif((run.config #>> '{budget,total_timesteps}')::bigint, 0) as total_timesteps
) as budget
left join sweeps on sweeps.id = run.sweep_id;
