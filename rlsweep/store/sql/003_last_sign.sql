-- When a worker or a driver was last known to be alive: at its heartbeat or, after the server was away, when it returned,
-- for nobody could give a sign before. The embedded server comes and goes with those who use it, and while it is away
-- nobody is left to be waited for.
create function last_sign(heartbeat_at timestamptz) returns timestamptz
language sql stable
return case
    when current_setting('rlsweep.embedded', true) = 'on' then heartbeat_at
    else greatest(heartbeat_at, pg_postmaster_start_time())
end;
