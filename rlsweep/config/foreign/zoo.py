"""rl-zoo's files of tuned hyperparameters: one mapping for each environment, the algorithm in the file's name."""

import re
from collections.abc import Mapping
from typing import Any

from rlsweep.config import habits
from rlsweep.config.agent import AgentConfig
from rlsweep.config.foreign.blocks import Answer, block, file_of, file_part
from rlsweep.config.foreign.translation import Translation, id_from, translate
from rlsweep.config.training import TrainingConfig

_MARKS = frozenset({"n_timesteps", "policy", "n_envs", "learning_rate", "n_steps", "buffer_size", "normalize"})
_OFF_POLICY_MARKS = frozenset({"buffer_size", "learning_starts", "train_freq", "target_update_interval", "tau"})
_PPO_MARKS = frozenset({"n_epochs", "batch_size", "clip_range"})
_ALGORITHMS = {"ppo": "PPO", "a2c": "A2C", "maskableppo": "MaskablePPO", "ppomask": "MaskablePPO"}
_MAX_TRANSLATED = 3
_MAX_NAMED = 60

SB3_DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "PPO": {"ent_coef": 0.0},
    "MaskablePPO": {"ent_coef": 0.0},
    "A2C": {"ent_coef": 0.0, "learning_rate": 7e-4, "n_steps": 5, "gae_lambda": 1.0, "normalize_advantage": False},
}
"""SB3's defaults where ours are others; a file of rl-zoo means SB3's."""


def is_zoo(data: Mapping[str, Any]) -> bool:
    """Whether a file's root maps environments to hyperparameters."""
    if data.keys() & (AgentConfig.model_fields.keys() | TrainingConfig.model_fields.keys()):
        return False
    return any(_is_entry(value) for value in data.values()) and all(
        isinstance(value, Mapping) for key, value in data.items() if not _is_holder(key)
    )


def zoo_answer(data: Mapping[str, Any], stem: str) -> Answer:
    """What to write instead of a file of rl-zoo; `stem` is the file's name without its extension."""
    entries = {key: value for key, value in data.items() if _is_entry(value) and not _is_holder(key)}
    entries = entries or {key: value for key, value in data.items() if _is_entry(value)}
    algorithm, refused = _algorithm(stem, entries)
    if refused is not None:
        return Answer(f"holds hyperparameters of rl-zoo for {refused}, which is not supported; take those of ppo.yml")
    shown = list(entries)[:_MAX_TRANSLATED]
    shorts = [id_from(name) for name in shown]
    names = [
        short if shorts.count(short) == 1 else file_part(id_from(name, keep_version=True))
        for name, short in zip(shown, shorts, strict=True)
    ]
    blocks = [
        text
        for name, short in zip(shown, names, strict=True)
        for text in _blocks(name, short, entries[name], algorithm)
    ]
    if more := list(entries)[_MAX_TRANSLATED:]:
        listed = ", ".join(name[:40] for name in more[:_MAX_NAMED]) + (", …" if len(more) > _MAX_NAMED else "")
        blocks.append(f"# Further environments: {listed}\n# To see one of them, leave only it in the file.")
    problem = "holds hyperparameters of rl-zoo; write an agent config and a training config instead"
    return Answer(problem, tuple(blocks), to_import=True)


def _is_holder(key: str) -> bool:
    """Whether a key only holds anchors."""
    return key.startswith("x-") or key.endswith(("-defaults", "_defaults"))


def _is_entry(value: Any) -> bool:
    return isinstance(value, Mapping) and len(_MARKS & value.keys()) >= 2 and "agent_id" not in value


def _algorithm(stem: str, entries: Mapping[str, Mapping[str, Any]]) -> tuple[str, str | None]:
    """The algorithm that a file's name or content says, and, where it is not supported, its name for a message."""
    for word in (stem, *re.split(r"[^A-Za-z0-9]+", stem)):
        plain = re.sub(r"[^a-z0-9]", "", word.lower())
        if plain in _ALGORITHMS:
            return _ALGORITHMS[plain], None
        if habits.is_unsupported(word):
            return "", word[:40].upper()
    keys = {key for entry in entries.values() for key in entry}
    if keys & _OFF_POLICY_MARKS:
        return "", "an off-policy algorithm"
    return ("A2C" if "use_rms_prop" in keys and not keys & _PPO_MARKS else "PPO"), None


def _blocks(environment: str, short: str, entry: Mapping[str, Any], algorithm: str) -> list[str]:
    """The two configs of one environment, with a short name for their files, and the command."""
    found = translate({**SB3_DEFAULTS[algorithm], **entry})
    _set_network(found)
    identity = {
        "agent_id": file_part(f"{algorithm.lower()}_{short}"),
        "name": f"{algorithm} for {environment[:100]}, tuned by rl-zoo",
        "algorithm": algorithm,
        "version": 1,
    }
    found.put("environment.id", environment)
    if set(found.training["environment"]) == {"id"}:
        found.training["environment"] = environment
    found.drop_invalid(identity)
    agent = identity | found.agent
    file, base = file_of(agent), f"{file_part(short)}.yaml"
    notes = [] if environment != "atari" else ["environment: name a game of ALE, such as ALE/Pong-v5"]
    return [
        block(file, agent, notes=found.notes()),
        block(base, {"name": file_part(short)} | found.training, notes=notes),
        f"# Then type: rlsweep train --agent-config {file} --base-config {base}",
    ]


def _set_network(found: Translation) -> None:
    """SB3's own layers where the file has none: none behind an image's convolutions, else 64 and 64."""
    network = found.agent.get("network", {})
    if "net_arch" not in network and "network.net_arch" not in found.left_out:
        found.put("network.net_arch", [] if network.get("policy") == "CnnPolicy" else [64, 64])
