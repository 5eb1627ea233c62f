-- name: lock_annotation
-- What is written about a sweep or a run, kept from others until the transaction ends.
select note, tags, note_version as version from {table} where id = %(id)s
for no key update

-- name: write_annotation
-- Replace what is written about a sweep or a run.
update {table}
set note = %(note)s, tags = %(tags)s, note_version = note_version + 1
where id = %(id)s
returning note, tags, note_version as version

-- name: count_tags
-- Every tag, with the number of runs and of sweeps that have it.
select tag, count(run_id) as runs, count(sweep_id) as sweeps
from (
    select unnest(tags) as tag, id as run_id, null::uuid as sweep_id from training_runs where tags <> '{}'
    union all
    select unnest(tags), null, id from sweeps where tags <> '{}'
) as given
group by tag
order by tag

-- name: count_environments
-- Every environment, with the number of its runs.
select environment, count(*) as runs
from training_runs
where environment is not null
group by environment
order by environment
