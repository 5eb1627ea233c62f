"""Names that users bring from Stable-Baselines3, rl-zoo, CleanRL and RLlib, and what each is called here.

A name is looked up here before the nearest spelling is: 'env' is spelled like `n_envs`, and means `environment`.
"""

import re
from collections.abc import Iterable, Mapping

from rlsweep.config.nearest import nearest

_OURS: Mapping[str, tuple[str, ...]] = {
    "environment": ("env", "env_id", "env_name", "environment_id", "environment_name", "gym_id", "game"),
    "environment.kwargs": ("env_kwargs", "env_config", "env_args", "environment_kwargs"),
    "environment.wrappers": ("env_wrapper", "env_wrappers", "wrapper"),
    "environment.frame_stack": ("n_stack", "num_stack", "framestack", "n_frames"),
    "total_timesteps": (
        "n_timesteps", "timesteps", "num_timesteps", "total_steps", "num_env_steps", "max_timesteps", "total_env_steps",
        "timesteps_total", "num_env_steps_sampled_lifetime", "budget",
    ),
    "max_episodes": ("episodes", "n_episodes", "num_episodes", "total_episodes"),
    "max_steps_per_episode": ("max_episode_steps", "max_ep_len", "time_limit", "episode_length", "horizon"),
    "n_envs": ("num_envs", "n_env", "num_env", "envs", "n_environments", "num_envs_per_env_runner",
               "num_envs_per_worker", "n_parallel_envs"),
    "vec_env": ("vec_env_type", "vec_env_class", "vec_env_cls", "vecenv"),
    "learning_rate": ("lr", "step_size", "pi_lr", "actor_lr", "policy_lr", "learningrate"),
    "optimizer.eps": ("adam_eps", "adam_epsilon", "rms_prop_eps", "opt_epsilon"),
    "gamma": ("discount", "discount_factor"),
    "n_steps": ("num_steps", "nsteps", "rollout_steps", "rollout_length", "rollout_fragment_length", "unroll_length"),
    "batch_size": ("minibatch_size", "mini_batch_size", "sgd_minibatch_size"),
    "n_epochs": ("update_epochs", "num_epochs", "epochs", "num_sgd_iter", "ppo_epochs", "noptepochs", "k_epochs"),
    "ppo.ent_coef": ("entropy_coef", "entropy_coeff", "entropy_cost", "entropy_bonus", "entropy_weight"),
    "ppo.vf_coef": ("value_coef", "vf_coeff", "vf_loss_coeff", "value_loss_coef", "value_loss_coeff"),
    "ppo.clip_range": ("clip_coef", "clip", "clip_eps", "clip_epsilon", "clip_param", "clip_ratio", "cliprange",
                       "eps_clip", "epsilon_clip"),
    "ppo.clip_range_vf": ("vf_clip_param", "cliprange_vf", "clip_vloss"),
    "ppo.max_grad_norm": ("grad_clip", "gradient_clip", "clip_grad", "grad_norm", "max_gradient_norm"),
    "ppo.gae_lambda": ("lambda", "lambda_", "lam", "gae_lam"),
    "ppo.normalize_advantage": ("norm_adv", "normalize_advantages"),
    "ppo.target_kl": ("kl_target", "max_kl"),
    "network.net_arch": ("hidden_sizes", "hidden_size", "hidden_dim", "hidden_layers", "hiddens", "fcnet_hiddens",
                         "layers"),
    "network.activation_fn": ("activation", "activation_function", "fcnet_activation"),
    "network.features_extractor": ("features_extractor_class", "custom_model", "features_extractor_cls"),
    "network.policy": ("policy_type", "policy_class"),
    "normalize_observations": ("norm_obs", "normalize_obs", "normalise_observations", "observation_filter"),
    "normalize_rewards": ("norm_reward", "norm_rewards", "normalize_reward", "normalise_rewards"),
    "evaluation.every_rollouts": ("eval_freq", "evaluation_interval", "eval_interval"),
    "evaluation.episodes": ("n_eval_episodes", "eval_episodes", "evaluation_duration"),
    "checkpoint_interval_episodes": ("save_freq", "save_interval", "checkpoint_freq", "checkpoint_frequency"),
    "keep_last_n_checkpoints": ("keep_checkpoints_num", "num_to_keep", "max_checkpoints"),
    "seed": ("random_seed", "rng_seed"),
    "rllib.env_runners": ("num_env_runners", "num_rollout_workers"),
    "rllib.learners": ("num_learners",),
    "rllib.gpus_per_learner": ("num_gpus_per_learner",),
    "device": ("gpu", "use_gpu", "cuda", "use_cuda", "torch_device"),
    "algorithm": ("algo", "alg", "algorithm_name", "trainer"),
}  # fmt: skip
"""Our dotted key, and the names that other tools give it."""

KEYS: Mapping[str, str] = {name: ours for ours, names in _OURS.items() for name in names}
"""The name of another tool, and our dotted key."""

_OFF_POLICY_KEY = "leave it out: it belongs to off-policy algorithms, which are not supported"
_PLACE_OF_FILES = "leave it out: files lie where RLSWEEP_HOME and RLSWEEP_STORAGE say"
_HINTS: Mapping[str, str] = {
    "policy_kwargs": "write its entries in the sections network and optimizer instead",
    "normalize": "write normalize_observations and normalize_rewards in the training config instead",
    "num_workers": "write n_envs with vec_env: subproc in the training config instead",
    "workers": "write n_envs with vec_env: subproc in the training config instead",
    "train_batch_size": "write n_steps instead: a rollout has n_steps × n_envs env steps",
    "train_batch_size_per_learner": "write n_steps instead: a rollout has n_steps × n_envs env steps",
    "num_minibatches": "write batch_size instead: n_steps × n_envs divided by the number of minibatches",
    "nminibatches": "write batch_size instead: n_steps × n_envs divided by the number of minibatches",
    "seeds": "give --seeds K on the command line; seed in the training config is the first one",
    "n_seeds": "give --seeds K on the command line; seed in the training config is the first one",
    "verbose": "leave it out: smoke mode logs in detail (--mode smoke)",
    "tensorboard_log": _PLACE_OF_FILES,
    "log_dir": _PLACE_OF_FILES,
    "save_path": _PLACE_OF_FILES,
    "output_dir": _PLACE_OF_FILES,
    "num_gpus": "give --gpus-per-trial on the command line",
    "num_cpus": "give --cpus-per-trial on the command line",
    **dict.fromkeys(
        ("buffer_size", "learning_starts", "train_freq", "gradient_steps", "tau", "target_update_interval",
         "exploration_fraction", "exploration_final_eps", "exploration_initial_eps", "replay_buffer_class"),
        _OFF_POLICY_KEY,
    ),
}  # fmt: skip
"""Names of other tools that no single key replaces, with what to do instead."""

_OFF_POLICY = frozenset(
    (
        "sac", "td3", "ddpg", "d4pg", "dqn", "ddqn", "doubledqn", "duelingdqn", "qrdqn", "iqn", "c51",
        "rainbow", "apex", "apexdqn", "tqc", "crossq", "redq", "droq", "her", "r2d2", "cql", "iql",
    )
)  # fmt: skip
_UNSUPPORTED = frozenset(
    (
        "trpo", "recurrentppo", "ppolstm", "lstmppo", "ars", "es", "a3c", "acer", "acktr", "impala", "appo",
        "ppg", "reinforce", "vpg", "pg", "dreamer", "dreamerv3", "muzero", "alphazero", "bc", "marwil", "mappo",
        "ippo",
    )
)  # fmt: skip
_ALGORITHMS: Mapping[str, str] = {"ppo2": "PPO", "ppomask": "MaskablePPO", "maskppo": "MaskablePPO", "a2csync": "A2C"}

_VALUES: Mapping[str, str] = {
    "subprocvecenv": "subproc",
    "subprocess": "subproc",
    "async": "subproc",
    "dummyvecenv": "dummy",
    "sync": "dummy",
    "mlp": "MlpPolicy",
    "multiinputpolicy": "MlpPolicy",
    "actorcriticpolicy": "MlpPolicy",
    "maskableactorcriticpolicy": "MlpPolicy",
    "cnn": "CnnPolicy",
    "actorcriticcnnpolicy": "CnnPolicy",
}
"""Values of other tools, without punctuation, and ours."""

_DEVICES: Mapping[str, str] = {"gpu": "cuda", "nvidia": "cuda", "rocm": "cuda", "hip": "cuda", "metal": "mps"}


TOWERS: Mapping[str, str] = {
    "policy": "pi", "actor": "pi", "pi_layers": "pi", "value": "vf", "critic": "vf",
}  # fmt: skip
"""What others call the two networks of `network.net_arch`."""


def key_hint(name: str) -> str | None:
    """What to do instead of the key `name` of another tool, as a clause; None if one of our keys replaces it."""
    return _HINTS.get(plain_key(name))


def our_key(name: str) -> str | None:
    """Our dotted key for the key `name` of another tool; None if there is no such habit."""
    return KEYS.get(plain_key(name))


def algorithm_hint(name: str, known: Iterable[str]) -> str:
    """Say, as the end of a message, what to write instead of an unknown algorithm; empty if nothing is near it."""
    plain = _letters(name)
    if plain in _OFF_POLICY:
        return f"; off-policy algorithms such as {name} are not supported, use PPO instead"
    if plain in _UNSUPPORTED:
        return f"; {name} is not supported, use PPO instead"
    match = _ALGORITHMS.get(plain) or nearest(name, known)
    return f"; did you mean {match}?" if match else ""


def is_unsupported(name: str) -> bool:
    """Whether `name` is that of a known algorithm, off-policy or not, that is not supported."""
    return _letters(name) in _OFF_POLICY | _UNSUPPORTED


def value_hint(value: str, choices: Iterable[str]) -> str:
    """Say, as the end of a message, which of the choices is meant by a value; empty if none is near it."""
    choices = tuple(choices)
    meant = _VALUES.get(_letters(value))
    match = meant if meant in choices else nearest(value.removeprefix("torch.").removeprefix("nn."), choices)
    return f"; did you mean {match}?" if match else ""


def device_hint(device: str) -> str:
    """Say, as the end of a message, how torch names a device; empty if it is none that is known."""
    kind, colon, number = device.lower().partition(":")
    name = _DEVICES.get(kind, kind)
    if name == "cuda":
        return f"; did you mean cuda{colon + number if number.isdigit() else ''}?"
    return f"; did you mean {name}?" if name in ("mps", "cpu", "auto") else ""


def plain_key(name: str) -> str:
    """A key in small letters, with '_' for '-' and no dashes before it."""
    return name.strip("-").lower().replace("-", "_")


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower())
