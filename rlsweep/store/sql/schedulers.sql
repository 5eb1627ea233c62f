-- name: insert_terms
-- Give a sweep a scheduler.
insert into schedulers (sweep_id, kind, objective, settings)
values (%(sweep_id)s, %(kind)s, %(objective)s, %(settings)s)

-- name: get_scheduler
-- The scheduler of a sweep.
select sweep_id, kind, objective, settings, stop from schedulers where sweep_id = %(sweep_id)s

-- name: list_decisions
-- The decisions of a scheduler after one of them, in order.
select number, made_at, free, record, decision
from scheduler_decisions
where sweep_id = %(sweep_id)s and number > %(after)s
order by number

-- name: insert_decision
-- Append a decision.
insert into scheduler_decisions (sweep_id, number, free, record, decision)
select %(sweep_id)s, coalesce(max(number), 0) + 1, %(free)s, %(record)s, %(decision)s
from scheduler_decisions
where sweep_id = %(sweep_id)s

-- name: set_stop
-- Why the scheduler begins nothing any more.
update schedulers set stop = %(stop)s where sweep_id = %(sweep_id)s

-- name: list_scheduled
-- The pending runs that a decision has scheduled, in the order of the plan: one that none has chosen has neither begun nor
-- a pause.
select id
from training_runs
where sweep_id = %(sweep_id)s and status = 'pending' and (attempt > 0 or pause_at is not null)
order by position

-- name: list_standings
-- How far each run of the sweep is, in the order of the plan. Only of stopped runs it is looked up how far they came.
select
    run.id,
    run.status,
    run.attempt,
    run.pause_at,
    case run.status
        when 'paused' then true
        when 'stopped' then coalesce(
            (select record.progress >= record.pause_at from run_records as record where record.id = run.id), false
        )
        else false
    end as is_there
from training_runs as run
where run.sweep_id = %(sweep_id)s
order by run.position

-- name: list_configs
-- What the config of each run is told by, in the order of the plan, as `reports.records.by_config` puts seeds together.
select id, coalesce(config_path, config_short_name) as source, config_hash
from training_runs
where sweep_id = %(sweep_id)s
order by position

-- name: count_by_rung
-- Runs that a decision has chosen, by what they train to, their status, and whether they have come to their pause; and those
-- that none has. Only of stopped runs it is looked up how far they came.
select
    run.pause_at,
    run.status,
    run.attempt > 0 or run.pause_at is not null as is_scheduled,
    case run.status
        when 'paused' then true
        when 'stopped' then coalesce(
            (select record.progress >= record.pause_at from run_records as record where record.id = run.id), false
        )
        else false
    end as is_there,
    count(*) as runs
from training_runs as run
where run.sweep_id = %(sweep_id)s
group by run.pause_at, run.status, is_scheduled, is_there
