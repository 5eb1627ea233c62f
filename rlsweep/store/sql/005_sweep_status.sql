-- Of ten thousand trials a driver and those who watch it read the few that run, and how many there are in each status.
create index training_runs_by_sweep_status on training_runs (sweep_id, status, position);
