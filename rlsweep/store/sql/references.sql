-- name: list_names_starting_with
-- The names of sweeps that start with a text, the newest first.
select name from sweeps where starts_with(name, %(start)s) order by created_at desc, id limit %(limit)s

-- name: list_runs_starting_with
-- The runs whose id starts with a text, the newest first.
select * from run_records where starts_with(id::text, %(start)s) order by created_at desc, position, id limit %(limit)s
