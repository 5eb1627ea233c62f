-- A race is a sweep that spends its budget where that helps the decision; its terms are those of the latest `rlsweep race`.
create table races (
    sweep_id           uuid primary key references sweeps on delete cascade,
    objective          text not null,
    statistic          text not null check (statistic in ('mean', 'median')),
    tolerance          double precision not null check (tolerance > 0),
    tolerance_is_share boolean not null,
    confidence         double precision not null check (confidence > 0.5 and confidence < 1),
    cap                double precision not null check (cap > 0),
    max_hours          double precision check (max_hours > 0),
    rung               double precision not null check (rung > 0 and rung < 1),
    score_episodes     integer check (score_episodes >= 1),
    planned_run_steps  double precision not null check (planned_run_steps > 0),
    planned_rung_steps double precision not null check (planned_rung_steps > 0),
    stop               text
);

-- A decision is on record before anything acts on it, with all that it was made from: the same function gives it again.
create table race_decisions (
    sweep_id uuid not null references races on delete cascade,
    number   integer not null check (number >= 1),
    made_at  timestamptz not null default clock_timestamp(),
    free     integer not null check (free >= 1),
    settings jsonb not null,
    record   jsonb not null,
    decision jsonb not null,
    primary key (sweep_id, number)
);

-- The sweep whose choice this one checks on held-out seeds.
alter table sweeps add column confirms uuid references sweeps on delete set null;
