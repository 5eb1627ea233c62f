-- What the list of Training History reads: an index for each order and filter, and the words that its search looks at.
--
-- Figures that grow at every flush (episodes, env_steps, mean_reward, win_rate) are indexed too, so that a list of ten
-- thousand runs by any column reads no more than it shows. It costs a flush its heap-only update, 0.1 of some 3 ms.

-- In an order that people read, `null` (a figure that is not known) comes last whichever way it is sorted: the list
-- asks for the known and the unknown in turn, and each index serves both.

create index training_runs_by_start on training_runs ((coalesce(started_at, created_at)), id);
create index training_runs_by_agent_start on training_runs (agent_id, (coalesce(started_at, created_at)), id);
create index training_runs_by_status_start on training_runs (status, (coalesce(started_at, created_at)), id);
create index training_runs_by_sweep_start on training_runs (sweep_id, (coalesce(started_at, created_at)), id);
create index training_runs_by_name on training_runs (config_short_name, id);
create index training_runs_by_agent_id on training_runs (agent_id, id);
create index training_runs_by_algorithm on training_runs (algorithm, id);
create index training_runs_by_seed on training_runs (seed, id);
create index training_runs_by_status_id on training_runs (status, id);
create index training_runs_by_times on training_runs (started_at, ended_at, id);  -- how long it took is reckoned from it
create index training_runs_by_episodes on training_runs (episodes, id);
create index training_runs_by_env_steps on training_runs (env_steps, id);
create index training_runs_by_mean_reward on training_runs (mean_reward, id);
create index training_runs_by_win_rate on training_runs (win_rate, id);

drop index training_runs_by_agent;
drop index training_runs_by_status;

-- Lower case once, where it is written. A name is no id and a description may be long: no index could serve a search
-- for any part of them, and ten thousand of these texts are read in some milliseconds.
alter table training_runs add column search text generated always as (
    lower(
        config_short_name || ' ' || config_name || ' ' || agent_id || ' ' || algorithm || ' '
        || left(coalesce(config #>> '{agent,description}', ''), 2000)
    )
) stored;
