-- A sweep may be stopped between being handed over and its driver's beginning, when none of its runs waits or runs yet.
alter table sweeps add column stop_requested boolean not null default false;

-- A sign of life from the time to come, by a clock that was set back since, is none: whoever lives signs again soon.
create or replace function last_sign(heartbeat_at timestamptz) returns timestamptz
language sql stable
return case
    when heartbeat_at > clock_timestamp() + interval '15 seconds' then 'epoch'
    when current_setting('rlsweep.embedded', true) = 'on' then heartbeat_at
    else greatest(heartbeat_at, pg_postmaster_start_time())
end;
