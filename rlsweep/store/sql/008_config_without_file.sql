-- An agent config may be given to the Python API as a dict; there is no file then.
alter table training_runs alter column config_path drop not null;
