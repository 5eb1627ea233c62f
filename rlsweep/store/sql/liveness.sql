-- name: get_lease
-- The sweep's driver, and the seconds since its last heartbeat, or since the start of the server if that is later.
select driver, extract(epoch from clock_timestamp() - last_sign(heartbeat_at))::double precision as silent_s
from sweeps
where id = %(id)s

-- name: list_trained
-- The runs whose worker has a recent heartbeat.
select id
from training_runs
where id = any(%(ids)s)
  and status = 'running'
  and last_sign(heartbeat_at) >= clock_timestamp() - make_interval(secs => %(patience_seconds)s)

-- name: list_drivers
-- Every driver that a sweep has; one that was killed still has its sweep.
select distinct driver from sweeps where driver is not null
