-- name: set_terms
-- Make a sweep a race, or change the terms of a race; it is undecided then.
insert into races (
    sweep_id, objective, statistic, tolerance, tolerance_is_share, confidence, cap, max_hours, rung, score_episodes,
    planned_run_steps, planned_rung_steps, configs
)
values (
    %(sweep_id)s, %(objective)s, %(statistic)s, %(tolerance)s, %(tolerance_is_share)s, %(confidence)s, %(cap)s,
    %(max_hours)s, %(rung)s, %(score_episodes)s, %(planned_run_steps)s, %(planned_rung_steps)s, %(configs)s
)
on conflict (sweep_id) do update
set
    objective = excluded.objective,
    statistic = excluded.statistic,
    tolerance = excluded.tolerance,
    tolerance_is_share = excluded.tolerance_is_share,
    confidence = excluded.confidence,
    cap = excluded.cap,
    max_hours = excluded.max_hours,
    stop = null

-- name: get_race
-- The race of a sweep.
select * from races where sweep_id = %(sweep_id)s

-- name: list_decisions
-- The decisions of a race, in order: all, or so many of them at even distances, with the newest one.
select decision.number, decision.made_at, decision.free, decision.settings, decision.record, decision.decision
from race_decisions as decision
cross join (select max(number) as number from race_decisions where sweep_id = %(sweep_id)s) as newest
where
    decision.sweep_id = %(sweep_id)s
    and mod(
        newest.number - decision.number,
        coalesce(ceil(newest.number / %(most)s::double precision)::integer, 1)
    ) = 0
order by decision.number

-- name: get_latest_decision
-- The newest decision of a race.
select number, made_at, free, settings, record, decision
from race_decisions
where sweep_id = %(sweep_id)s
order by number desc
limit 1

-- name: insert_decision
-- Append a decision.
insert into race_decisions (sweep_id, number, free, settings, record, decision)
select %(sweep_id)s, coalesce(max(number), 0) + 1, %(free)s, %(settings)s, %(record)s, %(decision)s
from race_decisions
where sweep_id = %(sweep_id)s

-- name: set_stop
-- Why the race ended; null while it is undecided.
update races set stop = %(stop)s where sweep_id = %(sweep_id)s

-- name: list_costs
-- Env steps of a sweep's runs, those of their evaluations included.
select
    run.id,
    run.env_steps + coalesce(sum(evaluation.episodes * evaluation.mean_length), 0)::double precision as spent
from training_runs as run
left join evaluations as evaluation on evaluation.run_id = run.id
where run.sweep_id = %(sweep_id)s
group by run.id
