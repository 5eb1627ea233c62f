-- A sweep with a scheduler, which says which runs train on from a pause, and why it begins nothing any more: null while it
-- goes on.
create table schedulers (
    sweep_id  uuid primary key references sweeps on delete cascade,
    kind      text not null check (kind in ('asha', 'pbt')),
    objective text not null,
    settings  jsonb not null,
    stop      text
);

-- A decision is on record before anything acts on it, with what it was made from: the same function gives it again.
create table scheduler_decisions (
    sweep_id uuid not null references schedulers on delete cascade,
    number   integer not null check (number >= 1),
    made_at  timestamptz not null default clock_timestamp(),
    free     integer not null check (free >= 1),
    record   jsonb not null,
    decision jsonb not null,
    primary key (sweep_id, number)
);
