-- A tournament: the final checkpoints of runs, and fixed opponents, play each other on both seats. The same terms and
-- players have the same key, so the same command goes on with what is on record.
create table tournaments (
    id            uuid primary key default gen_random_uuid(),
    key           text not null unique,
    created_at    timestamptz not null default clock_timestamp(),
    environment   jsonb not null,
    games         integer not null check (games >= 2 and games % 2 = 0),
    seed          bigint not null,
    deterministic boolean not null,
    openings      integer not null check (openings >= 0),
    max_moves     integer check (max_moves >= 1)
);

-- A fixed opponent has neither run nor checkpoint; a deleted run leaves the results of its checkpoint.
create table tournament_players (
    tournament_id uuid not null references tournaments on delete cascade,
    number        integer not null check (number >= 0),
    name          text not null,
    config        text not null,
    seed          bigint,
    run_id        uuid references training_runs on delete set null,
    checkpoint    text,
    sha256        text,
    env_steps     bigint,
    primary key (tournament_id, number)
);

create index tournament_players_of_run on tournament_players (run_id);

-- Games of a pair, put on record together; player one moves first in even games, player two in odd ones. Wins, draws and
-- losses of player one where it moved first, and of player two where that did, are counted once for all readers.
create table tournament_slices (
    tournament_id uuid not null references tournaments on delete cascade,
    one           integer not null,
    two           integer not null check (two > one),
    first_game    integer not null check (first_game >= 0),
    results       smallint[] not null,
    one_first     integer[] not null check (cardinality(one_first) = 3),
    two_first     integer[] not null check (cardinality(two_first) = 3),
    lengths       integer[] not null,
    shown         jsonb not null,
    seconds       double precision not null,
    played_at     timestamptz not null default clock_timestamp(),
    primary key (tournament_id, one, two, first_game),
    foreign key (tournament_id, one) references tournament_players (tournament_id, number),
    foreign key (tournament_id, two) references tournament_players (tournament_id, number)
);
