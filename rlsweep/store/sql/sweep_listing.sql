-- name: get_timed_sweep
-- One sweep by its id, with the seconds from its submission to its end, or to now.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where id = %(id)s

-- name: list_page
-- Sweeps, newest first, after the last one of the previous page; a null filter matches all.
select sweeps.*, extract(epoch from coalesce(finished_at, now()) - created_at)::double precision as seconds
from sweeps
where (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and tags @> %(tags)s::text[]
  and (
      %(environments)s::text[] is null or base_config #>> '{environment,id}' = any(%(environments)s::text[])
  )
  and (
      %(words)s::text is null
      or strpos(
          lower(concat_ws(' ', name, base_config #>> '{environment,id}', note, array_to_string(tags, ' '))),
          lower(%(words)s::text)
      ) > 0
  )
  and (%(after_id)s::uuid is null or (created_at, id) < (%(after_created_at)s::timestamptz, %(after_id)s::uuid))
order by created_at desc, id desc
limit %(limit)s

-- name: count_matching
-- Number of sweeps that match the filters of list_page.
select count(*) as sweeps
from sweeps
where (%(statuses)s::text[] is null or status = any(%(statuses)s::text[]))
  and tags @> %(tags)s::text[]
  and (
      %(environments)s::text[] is null or base_config #>> '{environment,id}' = any(%(environments)s::text[])
  )
  and (
      %(words)s::text is null
      or strpos(
          lower(concat_ws(' ', name, base_config #>> '{environment,id}', note, array_to_string(tags, ' '))),
          lower(%(words)s::text)
      ) > 0
  )

-- name: list_standings
-- The progress of these sweeps, one row per sweep and status; `share` is the sum over runs of the part that is done of
-- what each is to train: its budget, or up to its pause if it has one.
select
    sweep_id, status, count(*) as runs, sum(episodes)::bigint as episodes, sum(env_steps)::bigint as env_steps,
    sum(
        case
            when status in ('paused', 'completed', 'stopped', 'failed') then 1
            else least(1, coalesce(progress / coalesce(pause_at, 1), 0))
        end
    )::double precision as share
from run_records
where sweep_id = any(%(sweep_ids)s)
group by sweep_id, status
