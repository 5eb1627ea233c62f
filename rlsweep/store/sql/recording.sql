-- name: drop_overtaken_evaluations
-- Delete evaluations of earlier attempts that this attempt has passed; insert_evaluations replaces those at its step.
delete from evaluations
where run_id = %(run_id)s and attempt < %(attempt)s
  and env_steps > %(began_at_env_steps)s and env_steps <= %(env_steps)s

-- name: drop_beyond_end
-- Delete rows that earlier attempts recorded after the end of the completed or paused run.
with beyond_episodes as (
    delete from episodes
    where run_id = %(run_id)s and episode > %(episodes)s and attempt < %(attempt)s
), beyond_updates as (
    delete from updates
    where run_id = %(run_id)s and "update" > %(updates)s and attempt < %(attempt)s
)
delete from evaluations
where run_id = %(run_id)s and env_steps > %(env_steps)s and attempt < %(attempt)s

-- name: insert_episodes
-- A batch, one array per column. Rows of an earlier attempt are replaced; rows of this attempt, from a repeated flush,
-- are kept.
insert into episodes (run_id, attempt, episode, env_steps, reward, length, outcome, seconds)
select %(run_id)s::uuid, %(attempt)s::integer, batch.*
from unnest(
    %(episode)s::bigint[], %(env_steps)s::bigint[], %(reward)s::double precision[], %(length)s::integer[],
    %(outcome)s::text[], %(seconds)s::double precision[]
) as batch
on conflict (run_id, episode) do update
set
    attempt = excluded.attempt, env_steps = excluded.env_steps, reward = excluded.reward, length = excluded.length,
    outcome = excluded.outcome, seconds = excluded.seconds
where episodes.attempt < excluded.attempt

-- name: insert_updates
-- A batch, one array per column, like insert_episodes.
insert into updates (
    run_id, attempt, "update", env_steps, policy_loss, value_loss, entropy, approx_kl, clip_fraction,
    explained_variance, gradient_steps, learning_rate, steps_per_second
)
select %(run_id)s::uuid, %(attempt)s::integer, batch.*
from unnest(
    %(update)s::bigint[], %(env_steps)s::bigint[], %(policy_loss)s::double precision[],
    %(value_loss)s::double precision[], %(entropy)s::double precision[], %(approx_kl)s::double precision[],
    %(clip_fraction)s::double precision[], %(explained_variance)s::double precision[], %(gradient_steps)s::integer[],
    %(learning_rate)s::double precision[], %(steps_per_second)s::double precision[]
) as batch
on conflict (run_id, "update") do update
set
    attempt = excluded.attempt, env_steps = excluded.env_steps, policy_loss = excluded.policy_loss,
    value_loss = excluded.value_loss, entropy = excluded.entropy, approx_kl = excluded.approx_kl,
    clip_fraction = excluded.clip_fraction, explained_variance = excluded.explained_variance,
    gradient_steps = excluded.gradient_steps, learning_rate = excluded.learning_rate, steps_per_second = excluded.steps_per_second
where updates.attempt < excluded.attempt

-- name: insert_evaluations
-- A batch, one array per column; an evaluation replaces one of an earlier attempt at the same step.
insert into evaluations (
    run_id, attempt, env_steps, episodes, mean_reward, reward_sd, mean_length, win_rate, is_best, kind
)
select %(run_id)s::uuid, %(attempt)s::integer, batch.*
from unnest(
    %(env_steps)s::bigint[], %(episodes)s::integer[], %(mean_reward)s::double precision[],
    %(reward_sd)s::double precision[], %(mean_length)s::double precision[], %(win_rate)s::double precision[],
    %(is_best)s::boolean[], %(kind)s::text[]
) as batch
on conflict (run_id, kind, env_steps) do update
set
    attempt = excluded.attempt, episodes = excluded.episodes, mean_reward = excluded.mean_reward,
    reward_sd = excluded.reward_sd, mean_length = excluded.mean_length, win_rate = excluded.win_rate,
    is_best = excluded.is_best

-- name: insert_checkpoints
-- A batch, one array per column; a rewritten file replaces its record.
insert into checkpoints (run_id, attempt, episode, env_steps, uri, sha256, bytes)
select %(run_id)s::uuid, %(attempt)s::integer, batch.*
from unnest(
    %(episode)s::bigint[], %(env_steps)s::bigint[], %(uri)s::text[], %(sha256)s::text[], %(bytes)s::bigint[]
) as batch
on conflict (run_id, uri) do update
set
    attempt = excluded.attempt, episode = excluded.episode, env_steps = excluded.env_steps,
    sha256 = excluded.sha256, bytes = excluded.bytes, created_at = now()

-- name: drop_checkpoints
-- Delete records of checkpoints whose files were deleted.
delete from checkpoints where run_id = %(run_id)s and uri = any(%(uris)s)

-- name: update_progress
-- Update the summary columns and the heartbeat.
update training_runs
set
    heartbeat_at = clock_timestamp(), episodes = %(episodes)s, updates = %(updates)s, env_steps = %(env_steps)s,
    mean_reward = %(mean_reward)s, win_rate = %(win_rate)s, mean_length = %(mean_length)s,
    steps_per_second = %(steps_per_second)s, metadata = metadata || %(facts)s
where id = %(run_id)s
