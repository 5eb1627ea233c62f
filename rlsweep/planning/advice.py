"""What a user should know about a sweep before it runs, as far as the configs alone tell. Nothing here is an error."""

import os
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rlsweep.config.agent import AgentConfig
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.differences import hyperparameter_hash
from rlsweep.config.loading import AgentFile
from rlsweep.config.reading import EXTENSIONS
from rlsweep.config.training import TrainingConfig

_VARIANT_FILE = re.compile(r"(?P<agent_id>.+)_sweep_(?P<variant>.+)")
_BASE_FILE = re.compile(r"(?P<agent_id>.+)_v(?P<version>[0-9]+)")
_MAX_NAMED = 3


def config_advice(file: AgentFile, training: TrainingConfig) -> tuple[str, ...]:
    """Warn of what one config says, without naming it."""
    config = file.config
    return (*_naming_advice(file), *_batch_advice(config, training), *_ignored_advice(file))


def sweep_advice(files: Mapping[str, AgentFile]) -> tuple[str, ...]:
    """Warn of what the configs say together; `files` by the labels to name them with."""
    return (*_twins(files), *_namesakes(files), *_mixed_algorithms(files), *_absent_bases(files))


def grouped(advice: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return each warning once, with the labels of all configs that it is for in front."""
    labels_by_text: dict[str, list[str]] = defaultdict(list)
    for label, texts in advice.items():
        for text in texts:
            labels_by_text[text].append(label)
    return tuple(f"{named(labels)}: {text}" for text, labels in labels_by_text.items())


def named(labels: Sequence[str]) -> str:
    """List labels, the first few by name."""
    if len(labels) <= _MAX_NAMED:
        return ", ".join(labels)
    return f"{', '.join(labels[:_MAX_NAMED])} and {len(labels) - _MAX_NAMED} more"


def base_file(file: AgentFile) -> Path | None:
    """Return the base config of a variant, which lies beside it as `{agent_id}_v{version}`; None if there is none."""
    if file.config.sweep_variant is None:
        return None
    stem = f"{file.config.agent_id}_v{file.config.version}"
    candidates = (file.path.with_name(stem + extension) for extension in EXTENSIONS)
    return next((path for path in candidates if path.is_file()), None)


def absent_bases(files: Iterable[AgentFile]) -> tuple[Path, ...]:
    """Return the base configs that lie beside the variants and are not among `files`."""
    files = tuple(files)
    present = {os.path.realpath(file.path) for file in files}
    found = {os.path.realpath(path): path for file in files if (path := base_file(file))}
    return tuple(sorted(path for target, path in found.items() if target not in present))


def _naming_advice(file: AgentFile) -> list[str]:
    config, stem, extension = file.config, file.path.stem, file.path.suffix
    variant = config.sweep_variant
    expected = f"{config.agent_id}_sweep_{variant}" if variant else f"{config.agent_id}_v{config.version}"
    if stem == expected:
        return []
    as_variant = _VARIANT_FILE.fullmatch(stem)
    if as_variant and variant is None:
        return [
            f"{file.path.name} is named as a sweep variant, but its content names none; "
            f"write sweep_variant: {as_variant['variant']}"
        ]
    if _BASE_FILE.fullmatch(stem) and variant is not None and not as_variant:
        return [
            f"{file.path.name} is named as a base config, but holds sweep_variant: {variant}; "
            f"name it {expected}{extension}"
        ]
    return [f"{file.path.name} does not fit its content; by convention it is named {expected}{extension}"]


def _batch_advice(config: AgentConfig, training: TrainingConfig) -> list[str]:
    if "batch_size" not in ALGORITHMS[config.algorithm].hyperparameters:
        return []
    rollout = config.n_steps * training.n_envs
    product = f"n_steps × n_envs = {config.n_steps} × {training.n_envs} = {rollout}"
    if config.batch_size > rollout:
        return [f"batch_size {config.batch_size} is more than {product}: a minibatch is the whole rollout"]
    if rest := rollout % config.batch_size:
        return [
            f"batch_size {config.batch_size} does not divide {product}: "
            f"the last minibatch of each epoch holds only {rest}"
        ]
    return []


def _ignored_advice(file: AgentFile) -> list[str]:
    algorithm = ALGORITHMS[file.config.algorithm]
    advice = []
    if file.config.exploration is not None:
        advice.append(f"exploration is ignored: {algorithm.name} explores by the entropy of its policy (ppo.ent_coef)")
    learned_with = {key for key in file.given if not _is_identity(key)}
    if ignored := sorted(learned_with - algorithm.hyperparameters):
        advice.append(f"{algorithm.name} ignores {', '.join(ignored)}")
    return advice


def _is_identity(key: str) -> bool:
    return key in ("agent_id", "name", "algorithm", "version", "sweep_variant", "description", "exploration")


def _twins(files: Mapping[str, AgentFile]) -> list[str]:
    by_hash: dict[str, list[str]] = defaultdict(list)
    for label, file in files.items():
        by_hash[hyperparameter_hash(file.config)].append(label)
    return [
        f"{named(same)} have the same hyperparameters: they compare a config with itself"
        for same in by_hash.values()
        if len(same) > 1
    ]


def _namesakes(files: Mapping[str, AgentFile]) -> list[str]:
    by_name: dict[str, list[str]] = defaultdict(list)
    for file in files.values():
        by_name[file.config.short_name].append(str(file.path))
    return [
        f"{named(paths)} share the short name {name}, by which lists and charts tell configs apart; "
        "give each its own sweep_variant, or version"
        for name, paths in by_name.items()
        if len(paths) > 1
    ]


def _mixed_algorithms(files: Mapping[str, AgentFile]) -> list[str]:
    by_algorithm: dict[str, list[str]] = defaultdict(list)
    for label, file in files.items():
        by_algorithm[file.config.algorithm].append(label)
    if len(by_algorithm) < 2:
        return []
    listed = "; ".join(f"{algorithm}: {named(labels)}" for algorithm, labels in by_algorithm.items())
    return [f"algorithms differ within the sweep ({listed}): hyperparameters are not all that is compared"]


def _absent_bases(files: Mapping[str, AgentFile]) -> list[str]:
    return [
        f"the sweep leaves out {path}, the base config that its variants should be judged against; --with-base adds it"
        for path in absent_bases(files.values())
    ]
