"""A sweep of many configs with some seeds each, for what the panels of its page ask."""

from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.store.database import Database

NAME = "grid"


@dataclass(frozen=True, kw_only=True)
class Grid:
    """seeds: of each config; episodes: of each run, 12 env steps each, with an update after every 50."""

    configs: int
    seeds: int
    episodes: int


FULL = Grid(configs=32, seeds=5, episodes=2_000)
SHORT = Grid(configs=4, seeds=2, episodes=100)

_SWEEP = """
insert into sweeps (
    id, name, patterns, mode, budget, seeds, base_config, overrides, status, versions, created_at, finished_at
)
values (
    md5('grid')::uuid, %(name)s, '["config/agents/*.yaml"]', 'smoke', %(budget)s, '[0, 1, 2, 3, 4]', %(training)s, '[]',
    'completed', '{}', timestamptz '2026-06-01', timestamptz '2026-06-01 02:00'
)
"""

# The first config is the base config; the learning rate rises with the config, and n_steps alternates.
_RUNS = """
insert into training_runs (
    id, sweep_id, position, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name,
    config_path, config, config_hash, seed, status, attempt, created_at, started_at, ended_at, heartbeat_at,
    episodes, updates, env_steps, mean_reward, win_rate, mean_length, steps_per_second, end_reason, metadata
)
select
    md5('grid' || config || '-' || seed)::uuid, md5('grid')::uuid, config * %(seeds)s + seed,
    'grid-' || config || '-' || seed,
    'grid', 'MaskablePPO', 1, case when config > 0 then 'v' || config end, 'Grid v' || config, 'grid_v' || config,
    'config/agents/grid_v' || config || '.yaml',
    jsonb_set(jsonb_set(%(config)s, '{agent,learning_rate}', to_jsonb(1e-5 * power(1.3, config))),
              '{agent,n_steps}', to_jsonb(case when config %% 2 = 0 then 512 else 1024 end)),
    'hash-' || config, seed, 'completed', 1, timestamptz '2026-06-01', timestamptz '2026-06-01',
    timestamptz '2026-06-01 01:00', timestamptz '2026-06-01 01:00',
    %(episodes)s, %(episodes)s / 50, %(episodes)s * 12, 0.5, 0.75, 12, 900, 'completed', '{}'
from generate_series(0, %(configs)s - 1) as config
cross join generate_series(0, %(seeds)s - 1) as seed
"""

# The share of wins rises to 60 to 90%, the more the later the config, with a scatter over seeds that leaves open which
# config is the best.
_EPISODES = """
insert into episodes (run_id, episode, attempt, length, env_steps, reward, seconds, outcome)
select
    run.id, episode, 1, 12, episode * 12, case when won then 1 else -1 end, episode / 80.0,
    case when won then 'win' else 'loss' end
from training_runs as run
cross join generate_series(1, run.episodes) as episode
cross join lateral (
    select hashint8(episode * 7919 + run.position) %% 1000
        < (600 + 300 * run.position / (%(configs)s * %(seeds)s) + hashint8(run.position * 31) %% 250)
            * episode / run.episodes as won
) as drawn
where run.sweep_id = md5('grid')::uuid
"""

_UPDATES = """
insert into updates (
    run_id, "update", attempt, env_steps, policy_loss, value_loss, entropy, approx_kl, clip_fraction,
    explained_variance, learning_rate, steps_per_second
)
select run.id, number, 1, number * 600, -0.01, 0.4, 1.5 - number / 100.0, 0.01, 0.1, number / 100.0, 3e-4, 900
from training_runs as run
cross join generate_series(1, run.updates) as number
where run.sweep_id = md5('grid')::uuid
"""

# A tournament of all runs, each pair on both seats.
_TOURNAMENT = """
insert into tournaments (id, key, environment, games, seed, deterministic, openings)
values (md5('grid')::uuid, 'grid', %(config)s -> 'training' -> 'environment', 10, 0, false, 0)
"""

_PLAYERS = """
insert into tournament_players (tournament_id, number, name, config, seed, run_id, checkpoint, sha256, env_steps)
select
    md5('grid')::uuid, position, config_short_name || ' seed ' || seed, config_short_name, seed, id,
    '/nowhere/' || position || '.zip', position::text, env_steps
from training_runs
where sweep_id = md5('grid')::uuid
"""

_GAMES = """
insert into tournament_slices (
    tournament_id, one, two, first_game, results, one_first, two_first, lengths, shown, seconds
)
select
    md5('grid')::uuid, one.number, two.number, 0,
    (select array_agg(case when game / 2 < wins[1 + game %% 2] then 1 else -1 end order by game)
     from generate_series(0, 9) as game),
    array[wins[1], 0, 5 - wins[1]], array[wins[2], 0, 5 - wins[2]], array_fill(9, array[10]),
    '[{"moves": [], "boards": []}, {"moves": [], "boards": []}]', 0.1
from tournament_players as one
join tournament_players as two on two.tournament_id = one.tournament_id and two.number > one.number
cross join lateral (
    select array[3 - apart + hashint8(one.number * 1009 + two.number) %% 2,
                 2 + apart + hashint8(two.number * 1009 + one.number) %% 2] as wins
    from (select (two.number - one.number) / (%(configs)s * %(seeds)s / 3 + 1) as apart) as thirds
) as drawn
where one.tournament_id = md5('grid')::uuid
"""


def load(database: Database, grid: Grid) -> None:
    """Put the sweep and its tournament on record."""
    agent = AgentConfig(agent_id="grid", name="Grid", algorithm="MaskablePPO", version=1)
    config = RunConfig(
        agent=agent, training=TrainingConfig(), mode=Mode.SMOKE, budget=Budget(episodes=grid.episodes), seed=0
    )
    record = config.to_record()
    values = {
        "name": NAME,
        "configs": grid.configs,
        "seeds": grid.seeds,
        "episodes": grid.episodes,
        "config": Jsonb(record),
        "training": Jsonb(record["training"]),
        "budget": Jsonb(record["budget"]),
    }
    with database.connect() as connection:
        for statement in (_SWEEP, _RUNS, _EPISODES, _UPDATES, _TOURNAMENT, _PLAYERS, _GAMES):
            connection.execute(statement, values)
    with psycopg.connect(database.url, autocommit=True) as session:
        session.execute("vacuum analyze")
