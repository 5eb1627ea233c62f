-- name: get_lease
-- Who drives the sweep, and the seconds since its last sign of life, or since the server was there to take one.
select driver, extract(epoch from clock_timestamp() - last_sign(heartbeat_at))::double precision as silent_s
from sweeps
where id = %(id)s

-- name: list_trained
-- Those of the runs whose worker gave a sign of life lately.
select id
from training_runs
where id = any(%(ids)s)
  and status = 'running'
  and last_sign(heartbeat_at) >= clock_timestamp() - make_interval(secs => %(patience_seconds)s)
