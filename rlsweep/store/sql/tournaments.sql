-- name: insert_tournament
-- Put a tournament on record unless the same one is there; no row then.
insert into tournaments (key, environment, games, seed, deterministic, openings, max_moves)
values (
    %(key)s, %(environment)s, %(games)s, %(seed)s, %(deterministic)s, %(openings)s, %(max_moves)s
)
on conflict (key) do nothing
returning id

-- name: insert_player
-- Add a player.
insert into tournament_players (
    tournament_id, number, name, config, seed, run_id, checkpoint, sha256, env_steps
)
values (
    %(tournament_id)s, %(number)s, %(name)s, %(config)s, %(seed)s, %(run_id)s, %(checkpoint)s, %(sha256)s,
    %(env_steps)s
)

-- name: get_by_key
-- The tournament with these terms and players.
select * from tournaments where key = %(key)s

-- name: list_in_id_range
-- Tournaments with an id in a range.
select * from tournaments where id between %(low)s and %(high)s order by created_at desc limit 20

-- name: list_of_sweep
-- Tournaments with a player from a sweep, the newest first.
select *
from tournaments
where id in (
    select player.tournament_id
    from tournament_players as player
    join training_runs as run on run.id = player.run_id
    where run.sweep_id = %(sweep_id)s
)
order by created_at desc, id

-- name: list_players
-- The players of tournaments.
select * from tournament_players where tournament_id = any(%(ids)s) order by tournament_id, number

-- name: insert_slice
-- Put games on record; a slice that is there already had the same games.
insert into tournament_slices (
    tournament_id, one, two, first_game, results, one_first, two_first, lengths, shown, seconds
)
values (
    %(tournament_id)s, %(one)s, %(two)s, %(first_game)s, %(results)s, %(one_first)s, %(two_first)s, %(lengths)s,
    %(shown)s, %(seconds)s
)
on conflict do nothing

-- name: list_slices
-- The games on record, without those to step through.
select one, two, first_game, results, lengths, seconds
from tournament_slices
where tournament_id = %(tournament_id)s
order by one, two, first_game

-- name: count_by_pair
-- Wins, draws and losses of each pair: of player one where it moved first, and of player two where that did.
select
    one,
    two,
    array[sum(one_first[1]), sum(one_first[2]), sum(one_first[3])]::integer[] as one_first,
    array[sum(two_first[1]), sum(two_first[2]), sum(two_first[3])]::integer[] as two_first
from tournament_slices
where tournament_id = %(tournament_id)s
group by one, two
order by one, two

-- name: count_games
-- How many games of each tournament are on record.
select tournament_id, sum(cardinality(results)) as games
from tournament_slices
where tournament_id = any(%(ids)s)
group by tournament_id

-- name: get_shown
-- The games of a pair that can be stepped through, with their results.
select shown, results[1:2] as results
from tournament_slices
where tournament_id = %(tournament_id)s and one = %(one)s and two = %(two)s and first_game = 0
