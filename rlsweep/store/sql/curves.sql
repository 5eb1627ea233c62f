-- name: list_episodes
-- One row per run; each column is one byte string of eight-byte values in network order, in the order of episodes.
select read.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select
        string_agg(int8send(episode), '') as episode,
        string_agg(int8send(env_steps), '') as env_steps,
        string_agg(float8send(reward), '') as reward,
        string_agg(int8send(length), '') as length,
        string_agg(
            int8send(case outcome when 'win' then 1 when 'draw' then 0 when 'loss' then -1 else -2 end), ''
        ) as outcome,
        string_agg(float8send(seconds), '') as seconds
    from (select * from episodes where episodes.run_id = wanted.run_id order by episode) as in_order
) as read
order by wanted.position

-- name: list_results
-- Like list_episodes, with what scores are made of; an outcome is its first letter, or n if there is none.
-- Only episodes that ended after a share of the run's env steps, those up to its last episode; 0 gives all.
select read.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select
        string_agg(int8send(env_steps), '') as env_steps,
        string_agg(float8send(reward), '') as reward,
        string_agg(int4send(length), '') as length,
        convert_to(string_agg(coalesce(left(outcome, 1), 'n'), ''), 'UTF8') as outcome
    from (
        select *
        from episodes
        where episodes.run_id = wanted.run_id and (
            %(after)s = 0 or env_steps > %(after)s * (
                select env_steps from episodes where episodes.run_id = wanted.run_id order by episode desc limit 1
            )
        )
        order by episode
    ) as in_order
) as read
order by wanted.position

-- name: list_updates
-- Like list_episodes, for updates; values that were not finite are NaN.
select read.*
from unnest(%(run_ids)s::uuid[]) with ordinality as wanted (run_id, position)
cross join lateral (
    select
        string_agg(int8send("update"), '') as "update",
        string_agg(int8send(env_steps), '') as env_steps,
        string_agg(float8send(coalesce(policy_loss, 'NaN')), '') as policy_loss,
        string_agg(float8send(coalesce(value_loss, 'NaN')), '') as value_loss,
        string_agg(float8send(coalesce(entropy, 'NaN')), '') as entropy,
        string_agg(float8send(coalesce(approx_kl, 'NaN')), '') as approx_kl,
        string_agg(float8send(coalesce(clip_fraction, 'NaN')), '') as clip_fraction,
        string_agg(float8send(coalesce(explained_variance, 'NaN')), '') as explained_variance,
        string_agg(float8send(coalesce(gradient_steps::double precision, 'NaN')), '') as gradient_steps,
        string_agg(float8send(coalesce(learning_rate, 'NaN')), '') as learning_rate,
        string_agg(float8send(coalesce(steps_per_second, 'NaN')), '') as steps_per_second
    from (select * from updates where updates.run_id = wanted.run_id order by "update") as in_order
) as read
order by wanted.position

-- name: list_evaluations
-- Evaluations of several runs, in order; of those after the same update the periodic one first.
select run_id, env_steps, episodes, mean_reward, reward_sd, mean_length, win_rate, is_best, kind
from evaluations
where run_id = any(%(run_ids)s)
order by run_id, env_steps, kind

-- name: list_checkpoints
-- Existing checkpoints of one run, oldest first.
select episode, env_steps, uri, sha256, bytes
from checkpoints
where run_id = %(run_id)s
order by env_steps, created_at

-- name: list_checkpoints_to_go_on_from
-- The one to resume from first. If an attempt resumed from an earlier checkpoint, later ones of older attempts are
-- abandoned. best.zip is left out: it is replaced repeatedly, perhaps after it was last recorded.
select episode, env_steps, uri, sha256, bytes
from checkpoints
where run_id = %(run_id)s and uri not like %(best)s
order by attempt desc, env_steps desc, created_at desc
