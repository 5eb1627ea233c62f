"""A record as large as years of sweeps leave it, made by the database itself, the same each time."""

from dataclasses import dataclass

import psycopg
from psycopg.types.json import Jsonb

from rlsweep.config.agent import AgentConfig
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import TrainingConfig
from rlsweep.store.database import Database

RUNS_A_SWEEP = 24
AGENTS = 12


@dataclass(frozen=True, kw_only=True)
class Size:
    """So many runs; the first `long_runs` of them have `long_episodes` each, the others share the rest evenly."""

    runs: int
    episodes: int
    long_runs: int
    long_episodes: int

    @property
    def short_episodes(self) -> int:
        return (self.episodes - self.long_runs * self.long_episodes) // (self.runs - self.long_runs)


FULL = Size(runs=10_000, episodes=5_000_000, long_runs=16, long_episodes=100_000)
SHORT = Size(runs=300, episodes=30_000, long_runs=16, long_episodes=1_000)

_SWEEPS = """
insert into sweeps (
    id, name, patterns, mode, budget, seeds, base_config, overrides, status, versions, created_at, finished_at
)
select
    md5('sweep' || sweep)::uuid, 'study-' || sweep, '["config/agents/*.yaml"]', 'smoke', %(budget)s, '[0, 1, 2]',
    %(training)s, '[]', 'completed', '{}', timestamptz '2026-01-01' + sweep * interval '8 hours',
    timestamptz '2026-01-01' + sweep * interval '8 hours' + interval '2 hours'
from generate_series(1, %(sweeps)s) as sweep
"""

# The long runs are the seeds of four configs of the first sweep, so that they can be compared as one would.
_RUNS = """
insert into training_runs (
    id, sweep_id, position, trial_key, agent_id, algorithm, version, sweep_variant, config_name, config_short_name,
    config_path, config, config_hash, seed, status, attempt, created_at, started_at, ended_at, heartbeat_at,
    episodes, updates, env_steps, mean_reward, win_rate, mean_length, steps_per_second, end_reason, error, metadata
)
select
    md5('run' || number)::uuid, md5('sweep' || sweep)::uuid, number, 'trial-' || number, agent_id, 'MaskablePPO', 1,
    'v' || variant, 'Agent ' || agent_id || ' v' || variant, agent_id || '_v' || variant,
    'config/agents/' || agent_id || '_sweep_v' || variant || '.yaml',
    jsonb_set(jsonb_set(%(config)s, '{agent,agent_id}', to_jsonb(agent_id)),
              '{agent,description}', to_jsonb('variant ' || variant || ' of ' || agent_id)),
    %(hash)s || variant, number %% 4, status, case when status = 'pending' then 0 else 1 end,
    began - interval '1 minute', case when status <> 'pending' then began end,
    case when status in ('completed', 'failed', 'stopped') then ended end, case when status <> 'pending' then ended end,
    case when status = 'pending' then 0 else episodes end, case when status = 'pending' then 0 else 40 end,
    case when status = 'pending' then 0 else episodes * 12 end,
    case when status <> 'pending' then sin(number) end, case when status <> 'pending' then (1 + sin(number)) / 2 end,
    case when status <> 'pending' then 10 + number %% 7 end, case when status <> 'pending' then 900 + number %% 500 end,
    case when status in ('completed', 'failed', 'stopped') then status end,
    case when status = 'failed' then 'Traceback (most recent call last):' || chr(10) || 'ValueError: no move left' end,
    '{"host": "bench", "command": "rlsweep submit", "versions": {"torch": "2"}}'
from (
    select
        number, case when number <= %(long_runs)s then 1 else 1 + number / %(runs_a_sweep)s end as sweep,
        case when number <= %(long_runs)s then number / 4 else number / 4 %% 6 end as variant,
        'agent_' || case when number <= %(long_runs)s then 0 else number / %(runs_a_sweep)s %% %(agents)s end
            as agent_id,
        case
            when number <= %(long_runs)s then 'completed'
            when number > %(runs)s - 8 then 'running'
            when number > %(runs)s - 16 then 'pending'
            when number %% 40 = 0 then 'failed'
            when number %% 55 = 0 then 'stopped'
            else 'completed'
        end as status,
        case when number <= %(long_runs)s then %(long_episodes)s else %(short_episodes)s end as episodes,
        timestamptz '2026-01-01' + number * interval '20 minutes' as began,
        timestamptz '2026-01-01' + number * interval '20 minutes' + number %% 3000 * interval '1 second' as ended
    from generate_series(1, %(runs)s) as number
) as planned
"""

_EPISODES = """
insert into episodes (run_id, episode, attempt, length, env_steps, reward, seconds, outcome)
select
    run.id, episode, 1, 8 + episode %% 9, episode * 12, case when won then 1 else -1 end, episode / 80.0,
    case when won then 'win' else 'loss' end
from training_runs as run
cross join generate_series(1, run.episodes) as episode
cross join lateral (
    select hashint8(episode * 7919 + run.position) %% 1000 < 600 * episode / run.episodes as won
) as drawn
where run.position between %(first)s and %(last)s
"""

_UPDATES = """
insert into updates (
    run_id, "update", attempt, env_steps, policy_loss, value_loss, entropy, approx_kl, clip_fraction,
    explained_variance, learning_rate, steps_per_second
)
select
    run.id, number, 1, number * run.env_steps / 40, -0.01, 0.4, 1.5 - number / 50.0, 0.01, 0.1, number / 60.0, 3e-4, 900
from training_runs as run
cross join generate_series(1, 40) as number
where run.position <= %(long_runs)s
"""


# One run in 50 has a tag, one in 100 a note of some lines.
_NOTES = """
update training_runs
set
    tags = case when position %% 50 = 0 then array['good', 't' || position %% 7] else '{}' end,
    note = case when position %% 100 = 0 then repeat('Entropy fell early; lower the learning rate. ', 10) else '' end
where position %% 50 = 0
"""


def load(database: Database, size: Size) -> None:
    """Fill an empty database."""
    agent = AgentConfig(agent_id="agent_0", name="Agent", algorithm="MaskablePPO", version=1, sweep_variant="v")
    config = RunConfig(
        agent=agent, training=TrainingConfig(), mode=Mode.SMOKE, budget=Budget(episodes=size.long_episodes), seed=0
    )
    record = config.to_record()
    values = {
        "runs": size.runs,
        "long_runs": size.long_runs,
        "long_episodes": size.long_episodes,
        "short_episodes": size.short_episodes,
        "sweeps": 1 + size.runs // RUNS_A_SWEEP,
        "runs_a_sweep": RUNS_A_SWEEP,
        "agents": AGENTS,
        "config": Jsonb(record),
        "training": Jsonb(record["training"]),
        "budget": Jsonb(record["budget"]),
        "hash": hyperparameter_hash(agent),
    }
    with database.connect() as connection:
        connection.execute(_SWEEPS, values)
        connection.execute(_RUNS, values)
        connection.execute(_UPDATES, values)
        connection.execute(_NOTES, values)
    for first in range(1, size.runs + 1, 1_000):
        with database.connect() as connection:
            connection.execute(_EPISODES, {"first": first, "last": first + 999})
    with psycopg.connect(database.url, autocommit=True) as session:
        session.execute("vacuum analyze")  # what the server does by itself a minute later
