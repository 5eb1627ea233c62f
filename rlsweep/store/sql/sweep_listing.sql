-- name: get_timed_sweep
-- One sweep by its id, with the seconds from its submission to its end, or to now.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where id = %(id)s

-- name: matching
-- The filters of the list; a null filter matches all.
(%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
and tags @> %(tags)s::text[]
and (%(environments)s::text[] is null or base_config #>> '{environment,id}' = any(%(environments)s::text[]))
and (
    %(words)s::text is null
    or strpos(
        lower(concat_ws(' ', name, base_config #>> '{environment,id}', note, array_to_string(tags, ' '))),
        lower(%(words)s::text)
    ) > 0
)

-- name: list_page
-- Sweeps, newest first, after the last one of the previous page.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where {matching}
  and (%(after_id)s::uuid is null or (created_at, id) < (%(after_created_at)s::timestamptz, %(after_id)s::uuid))
order by created_at desc, id desc
limit %(limit)s

-- name: count_matching
-- Number of sweeps that match the filters.
select count(*) as sweeps from sweeps where {matching}

-- name: list_standings
-- The progress of these sweeps, one row per sweep and status; `trained` is the mean over runs of the part that each has
-- trained of its budget, or of what is before its pause if it has one.
select
    sweep_id, status, count(*) as runs, sum(episodes)::bigint as episodes, sum(env_steps)::bigint as env_steps,
    avg(least(1, coalesce(progress / coalesce(pause_at, 1), 0)))::double precision as trained
from run_records
where sweep_id = any(%(sweep_ids)s)
group by sweep_id, status
