-- The tables of rlsweep. Times are the database's clock; a run's id never changes, its attempt only grows.

create table sweeps (
    id               uuid primary key,
    name             text not null unique,
    patterns         jsonb not null,
    mode             text not null,
    budget           jsonb not null,
    seeds            jsonb not null,
    base_config      jsonb not null,
    base_config_path text,
    overrides        jsonb not null,
    status           text not null default 'pending'
                     check (status in ('pending', 'running', 'completed', 'stopped', 'failed')),
    git_commit       text,
    git_dirty        boolean,
    versions         jsonb not null,
    created_at       timestamptz not null default now(),
    finished_at      timestamptz,
    driver           text,
    heartbeat_at     timestamptz
);

create index sweeps_by_created on sweeps (created_at desc);

create table training_runs (
    id                uuid primary key,
    sweep_id          uuid references sweeps on delete cascade,
    position          integer not null,  -- the trial's place in its sweep's plan
    trial_key         text,
    agent_id          text not null,
    algorithm         text not null,
    version           integer not null,
    sweep_variant     text,
    config_name       text not null,
    config_short_name text not null,
    config_path       text not null,
    config            jsonb not null,
    config_hash       text not null,
    seed              bigint not null,
    status            text not null default 'pending'
                      check (status in ('pending', 'running', 'completed', 'stopped', 'failed')),
    stop_requested    boolean not null default false,
    attempt           integer not null default 0 check (attempt >= 0),
    created_at        timestamptz not null default now(),
    heartbeat_at      timestamptz,
    started_at        timestamptz,
    ended_at          timestamptz,
    episodes          bigint not null default 0 check (episodes >= 0),
    updates           bigint not null default 0 check (updates >= 0),
    env_steps         bigint not null default 0 check (env_steps >= 0),
    mean_reward       double precision,
    win_rate          double precision check (win_rate between 0 and 1),
    mean_length       double precision,
    steps_per_second  double precision,
    error             text,
    metadata          jsonb not null default '{}',
    unique (sweep_id, trial_key)
) with (fillfactor = 70);  -- rows are updated at every flush: room on the page lets that stay off the indexes

create index training_runs_by_created on training_runs (created_at desc);
create index training_runs_by_agent on training_runs (agent_id, created_at desc);
create index training_runs_by_status on training_runs (status, created_at desc);

-- Keyed by (run_id, episode): a repeated flush meets its own rows. `attempt` tells which start of the run wrote a row.
create table episodes (
    run_id    uuid not null references training_runs on delete cascade,
    episode   bigint not null check (episode >= 1),
    attempt   integer not null,
    length    integer not null check (length >= 1),
    env_steps bigint not null,
    reward    double precision not null check (reward not in ('NaN', 'Infinity', '-Infinity')),
    seconds   double precision not null,
    outcome   text check (outcome in ('win', 'draw', 'loss')),
    primary key (run_id, episode)
);

create table updates (
    run_id             uuid not null references training_runs on delete cascade,
    "update"           bigint not null check ("update" >= 1),
    attempt            integer not null,
    env_steps          bigint not null,
    policy_loss        double precision,
    value_loss         double precision,
    entropy            double precision,
    approx_kl          double precision,
    clip_fraction      double precision,
    explained_variance double precision,
    learning_rate      double precision,
    steps_per_second   double precision,
    primary key (run_id, "update")
);

create table evaluations (
    run_id      uuid not null references training_runs on delete cascade,
    env_steps   bigint not null,
    attempt     integer not null,
    episodes    integer not null check (episodes >= 1),
    mean_reward double precision not null,
    reward_sd   double precision not null,
    mean_length double precision not null,
    win_rate    double precision check (win_rate between 0 and 1),
    is_best     boolean not null,
    primary key (run_id, env_steps)
);

create table checkpoints (
    run_id     uuid not null references training_runs on delete cascade,
    uri        text not null,
    attempt    integer not null,
    episode    bigint not null,
    env_steps  bigint not null,
    sha256     text not null,
    bytes      bigint not null,
    created_at timestamptz not null default now(),
    primary key (run_id, uri)
);
