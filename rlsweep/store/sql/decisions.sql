-- name: lock_sweep
-- Whether this driver may decide, and whether a stop was requested; holds the sweep's row until the transaction ends.
select driver, stop_requested from sweeps where id = %(sweep_id)s for no key update

-- name: get_next_position
-- The place of a sweep's next run in its plan.
select coalesce(max(position), 0) + 1 as position from training_runs where sweep_id = %(sweep_id)s

-- name: pause_waiting
-- Runs of a race, or of a sweep with a scheduler, that waited at their rung when it was stopped wait again.
update training_runs
set status = 'paused', end_reason = 'paused', stop_requested = false
where id in (
    select run.id
    from run_records as run
    where run.sweep_id = %(sweep_id)s and run.status = 'stopped' and run.attempt > 0 and run.progress >= run.pause_at
      and (
          exists (select from races where races.sweep_id = run.sweep_id)
          or exists (select from schedulers where schedulers.sweep_id = run.sweep_id)
      )
)
