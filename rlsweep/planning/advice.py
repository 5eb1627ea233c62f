"""Warnings about a sweep's configs, before it runs. None is an error."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.differences import flat_hyperparameters, hyperparameter_hash
from rlsweep.config.engines import keys_for_stock
from rlsweep.config.loading import LoadedAgent
from rlsweep.config.reading import EXTENSIONS
from rlsweep.config.run import Budget
from rlsweep.config.stepped import every_value, is_stepped
from rlsweep.config.training import TrainingConfig

_VARIANT_FILE = re.compile(r"(?P<agent_id>.+)_sweep_(?P<variant>.+)")
_BASE_FILE = re.compile(r"(?P<agent_id>.+)_v(?P<version>[0-9]+)")
_MAX_NAMED = 3


def config_advice(agent: LoadedAgent, training: TrainingConfig, budget: Budget) -> tuple[str, ...]:
    """Return warnings about one config under a run's budget, which do not contain its name."""
    config = agent.config
    return (
        *_naming_advice(agent),
        *_batch_advice(config, training),
        *_unreached_advice(config, training, budget),
        *_ignored_advice(agent),
        *_engine_advice(config, training),
    )


def sweep_advice(agents: Mapping[str, LoadedAgent]) -> tuple[str, ...]:
    """Return warnings about the combination of configs; `agents` by label."""
    return (*_twins(agents), *_namesakes(agents), *_mixed_algorithms(agents), *_absent_bases(agents))


def grouped(advice: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return each warning once, with the labels of all its configs in front."""
    labels_by_text: dict[str, list[str]] = defaultdict(list)
    for label, texts in advice.items():
        for text in texts:
            labels_by_text[text].append(label)
    return tuple(f"{named(labels)}: {text}" for text, labels in labels_by_text.items())


def named(labels: Sequence[str]) -> str:
    """Join labels, with at most _MAX_NAMED of them by name."""
    if len(labels) <= _MAX_NAMED:
        return ", ".join(labels)
    return f"{', '.join(labels[:_MAX_NAMED])} and {len(labels) - _MAX_NAMED} more"


def base_file(agent: LoadedAgent) -> Path | None:
    """Return the base config of a variant, `{agent_id}_v{version}` in the same folder; None if there is none."""
    if agent.path is None or agent.config.sweep_variant is None:
        return None
    stem = f"{agent.config.agent_id}_v{agent.config.version}"
    candidates = (agent.path.with_name(stem + extension) for extension in EXTENSIONS)
    return next((path for path in candidates if path.is_file()), None)


def absent_bases(agents: Iterable[LoadedAgent]) -> tuple[Path, ...]:
    """Return the base configs in the folders of the variants that are not among `agents`."""
    agents = tuple(agents)
    present = {os.path.realpath(agent.path) for agent in agents if agent.path is not None}
    found = {os.path.realpath(path): path for agent in agents if (path := base_file(agent))}
    return tuple(sorted(path for target, path in found.items() if target not in present))


def _naming_advice(agent: LoadedAgent) -> list[str]:
    if agent.path is None:
        return []
    config, stem, extension = agent.config, agent.path.stem, agent.path.suffix
    variant = config.sweep_variant
    expected = f"{config.agent_id}_sweep_{variant}" if variant else f"{config.agent_id}_v{config.version}"
    if stem == expected:
        return []
    as_variant = _VARIANT_FILE.fullmatch(stem)
    if as_variant and variant is None:
        return [
            f"{agent.path.name} has the file name of a variant, but no sweep_variant; "
            f"write sweep_variant: {as_variant['variant']}"
        ]
    if _BASE_FILE.fullmatch(stem) and variant is not None and not as_variant:
        return [
            f"{agent.path.name} has the file name of a base config, but sweep_variant: {variant}; "
            f"rename it to {expected}{extension}"
        ]
    return [f"{agent.path.name} does not match its content; the usual file name is {expected}{extension}"]


def _batch_advice(config: AgentConfig, training: TrainingConfig) -> list[str]:
    if "batch_size" not in ALGORITHMS[config.algorithm].hyperparameters:
        return []
    rollout = config.n_steps * training.n_envs
    product = f"n_steps × n_envs = {config.n_steps} × {training.n_envs} = {rollout}"
    advice = []
    for batch_size in dict.fromkeys(every_value(config.batch_size)):
        if batch_size > rollout:
            advice.append(f"batch_size {batch_size} is larger than {product}: each minibatch is the whole rollout")
        elif rest := rollout % batch_size:
            advice.append(
                f"batch_size {batch_size} does not divide {product}: "
                f"the last minibatch of each epoch has only {rest} samples"
            )
    return advice


def _unreached_advice(config: AgentConfig, training: TrainingConfig, budget: Budget) -> list[str]:
    """Changes that no rollout follows; the last one begins before the budget of env steps is spent."""
    if budget.total_timesteps is None:
        return []
    rollout = config.n_steps * training.n_envs
    last = (budget.total_timesteps - 1) // rollout * rollout
    advice = []
    for key, value in flat_hyperparameters(config).items():
        if is_stepped(value) and (unreached := [int(step) for step in value if int(step) > last]):
            advice.append(
                f"{key} changes at env step {unreached[0]:,}, and the last rollout of {budget.total_timesteps:,} env "
                f"steps begins at {last:,}: it never has the value from there on"
            )
    return advice


def _ignored_advice(agent: LoadedAgent) -> list[str]:
    algorithm = ALGORITHMS[agent.config.algorithm]
    advice = []
    if agent.config.exploration is not None:
        advice.append(f"exploration is ignored: {algorithm.name} explores by the entropy of its policy (ppo.ent_coef)")
    learned_with = {key for key in agent.given if not _is_identity(key)}
    if ignored := sorted(learned_with - algorithm.hyperparameters):
        advice.append(f"{algorithm.name} ignores {', '.join(ignored)}")
    return advice


def _engine_advice(config: AgentConfig, training: TrainingConfig) -> list[str]:
    if training.engine != "auto" or training.backend != "sb3" or not (keys := keys_for_stock(config)):
        return []
    return [f"the stock engine trains it, since the fast one does not support {', '.join(keys)}"]


def _is_identity(key: str) -> bool:
    return key in ("agent_id", "name", "algorithm", "version", "sweep_variant", "description", "exploration")


def _twins(agents: Mapping[str, LoadedAgent]) -> list[str]:
    by_hash: dict[str, list[str]] = defaultdict(list)
    for label, agent in agents.items():
        by_hash[hyperparameter_hash(agent.config)].append(label)
    return [
        f"{named(same)} have the same hyperparameters, so they compare a config with itself"
        for same in by_hash.values()
        if len(same) > 1
    ]


def _namesakes(agents: Mapping[str, LoadedAgent]) -> list[str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for agent in agents.values():
        by_name[agent.config.short_name].append(str(agent.source))
    return [
        f"{named(paths)} have the same short name {name}, so lists and charts cannot distinguish them; "
        "give each its own sweep_variant or version"
        for name, paths in by_name.items()
        if len(paths) > 1
    ]


def _mixed_algorithms(agents: Mapping[str, LoadedAgent]) -> list[str]:
    by_algorithm: dict[str, list[str]] = defaultdict(list)
    for label, agent in agents.items():
        by_algorithm[agent.config.algorithm].append(label)
    if len(by_algorithm) < 2:
        return []
    listed = "; ".join(f"{algorithm}: {named(labels)}" for algorithm, labels in by_algorithm.items())
    return [f"the sweep has several algorithms ({listed}): differences are not only due to hyperparameters"]


def _absent_bases(agents: Mapping[str, LoadedAgent]) -> list[str]:
    return [
        f"the base config {path} is not in the sweep, so there is nothing to compare with; add --with-base"
        for path in absent_bases(agents.values())
    ]
