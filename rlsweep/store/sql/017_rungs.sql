-- All that lists, pages and commands show of a training run, as before; and, of a sweep with ASHA, the rung at which a run
-- waits or to which it trains, from 1. A run that no decision has chosen has none.
create or replace view run_records as
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
    run.note_version,
    case
        when scheduler.kind <> 'asha' or (run.attempt = 0 and run.pause_at is null) then null
        when run.pause_at is null then jsonb_array_length(scheduler.settings -> 'rungs')
        else (
            select rung.number::integer
            from jsonb_array_elements(scheduler.settings -> 'rungs') with ordinality as rung (share, number)
            where rung.share::double precision = run.pause_at
        )
    end as rung
from training_runs as run
cross join lateral (
    select
        nullif((run.config #>> '{budget,episodes}')::bigint, 0) as episodes,
        nullif((run.config #>> '{budget,total_timesteps}')::bigint, 0) as total_timesteps
) as budget
left join sweeps on sweeps.id = run.sweep_id
left join schedulers as scheduler on scheduler.sweep_id = run.sweep_id;
