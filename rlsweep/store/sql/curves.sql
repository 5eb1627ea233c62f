-- name: list_episodes
-- Every column wide and never null, so that the binary rows are all of one size.
select
    wanted.position::bigint,
    episodes.episode,
    episodes.env_steps,
    episodes.reward,
    episodes.length::bigint,
    case episodes.outcome when 'win' then 1 when 'draw' then 0 when 'loss' then -1 else -2 end::bigint,
    episodes.seconds
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
join episodes using (run_id)
order by wanted.position, episodes.episode

-- name: list_updates
-- As list_episodes; what was not a finite number reads as NaN.
select
    wanted.position::bigint,
    updates.update,
    updates.env_steps,
    coalesce(updates.policy_loss, 'NaN'),
    coalesce(updates.value_loss, 'NaN'),
    coalesce(updates.entropy, 'NaN'),
    coalesce(updates.approx_kl, 'NaN'),
    coalesce(updates.clip_fraction, 'NaN'),
    coalesce(updates.explained_variance, 'NaN'),
    coalesce(updates.learning_rate, 'NaN'),
    coalesce(updates.steps_per_second, 'NaN')
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
join updates using (run_id)
order by wanted.position, updates.update

-- name: list_evaluations
-- Evaluations of several runs, in the order in which they were made.
select run_id, env_steps, episodes, mean_reward, reward_sd, mean_length, win_rate, is_best
from evaluations
where run_id = any(%(run_ids)s)
order by run_id, env_steps

-- name: list_checkpoints
-- Checkpoints of one run whose files are kept, oldest first.
select episode, env_steps, uri, sha256, bytes
from checkpoints
where run_id = %(run_id)s
order by env_steps, created_at

-- name: list_checkpoints_to_go_on_from
-- Best first: an attempt that went back to an earlier one gave up those beyond it.
select episode, env_steps, uri, sha256, bytes
from checkpoints
where run_id = %(run_id)s
order by attempt desc, env_steps desc, created_at desc
