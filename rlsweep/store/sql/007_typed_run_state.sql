-- What decides how a run continues gets columns of its own: why the run ended, whose weights it began with, whether it
-- begins anew, and the actor that trains it. `error` and `metadata` are for people from here on.
alter table training_runs
    add column end_reason    text,
    add column weights_from  text,
    add column begins_anew   boolean not null default false,
    add column actor_cluster text,
    add column actor_id      text,
    add column actor_node    text,
    add column actor_pid     bigint;

-- Rows of older versions say it in their error and metadata. An error of a run's own is a traceback, or begins with the
-- name of its exception; every other one of a failed run was written by its sweep's driver.
update training_runs
set
    end_reason = case
        when status = 'completed' then 'completed'
        when status = 'stopped' and error = 'Its process ended without a word; it was killed, or its machine went down. '
            || 'What it recorded is kept, and its last checkpoint can be gone on from.' then 'abandoned'
        when status = 'stopped' then 'stopped'
        when status = 'failed' and strpos(error, 'DivergedError') > 0 then 'diverged'
        when status = 'failed' and (error is null or error ~ '^(Traceback \(|\w+Error: )') then 'failed'
        when status = 'failed' then 'lost'
    end,
    weights_from = metadata ->> 'weights_from',
    begins_anew = coalesce((metadata -> 'begins_anew')::boolean, false),
    actor_cluster = metadata #>> '{ray,cluster}',
    actor_id = metadata #>> '{ray,actor}',
    actor_node = metadata #>> '{ray,node}',
    actor_pid = (metadata #> '{ray,pid}')::bigint,
    metadata = metadata - '{weights_from,begins_anew,ray}'::text[];

alter table training_runs
    add constraint training_runs_end_reason check (
        case status
            when 'completed' then end_reason is not distinct from 'completed'
            when 'stopped' then coalesce(end_reason in ('stopped', 'abandoned'), false)
            when 'failed' then coalesce(end_reason in ('lost', 'diverged', 'failed'), false)
            else end_reason is null
        end
    ),
    add constraint training_runs_actor check (num_nulls(actor_cluster, actor_id, actor_node, actor_pid) in (0, 4));
