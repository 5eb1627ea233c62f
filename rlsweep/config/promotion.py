"""Write an agent config's next version: the text of the file it was, with some values replaced, or a fresh file."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node

from rlsweep.config.agent import AgentConfig, Hyperparameters
from rlsweep.config.algorithms import ALGORITHMS
from rlsweep.config.keys import leaf_keys
from rlsweep.config.layers import SECTIONS
from rlsweep.config.loading import load_agent
from rlsweep.config.overrides import parse_overrides
from rlsweep.config.reading import EXTENSIONS, read_config_file
from rlsweep.config.stepped import is_stepped
from rlsweep.config.text_values import ConfigLoader, TextError, parse_yaml
from rlsweep.errors import ConfigError, InputError

MAX_NAME = 200
_STEM = re.compile(r"(?P<agent_id>.+)_v(?P<version>\d{1,9})")
_IDENTITY = ("agent_id", "name", "version", "sweep_variant", "description", "exploration")
_VERSION_AT_END = re.compile(r"\s*(\([^()]*\)|\bv\d+)\s*$")


def stem_of(agent_id: str, version: int) -> str:
    """The file name of a base config, without its extension: `ppo_agent_v2`."""
    return f"{agent_id}_v{version}"


def parsed_stem(name: str) -> tuple[str, int]:
    """Agent and version that such a name names. Raises InputError."""
    found = _STEM.fullmatch(name)
    if found is None:
        raise InputError(f"--as must be AGENT_vVERSION, such as ppo_agent_v2; got {name!r}.")
    return found["agent_id"], int(found["version"])


def latest_version(folder: Path, agent_id: str) -> int:
    """The highest version of the agent among the configs in a folder, by their content or name; 0 without any."""
    versions = [0]
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix.lower() not in EXTENSIONS:
            continue
        named = _STEM.fullmatch(path.stem)
        if named is not None and named["agent_id"] == agent_id:
            versions.append(int(named["version"]))
        try:
            data = read_config_file(path)
        except ConfigError:  # not what is promoted: whoever uses that file is told then
            continue
        if data.get("agent_id") == agent_id and isinstance(data.get("version"), int):
            versions.append(data["version"])
    return max(versions)


def next_name(name: str, version: int) -> str:
    """The config's name with its version: `PPO Agent v2` after `PPO Agent v1` and `PPO Agent (LR Low)`."""
    return _named(name, f" v{version}")


def variant_of(name: str, variant: str) -> str:
    """The name of a variant: `PPO Agent (lr_1e-4)` of `PPO Agent v1`."""
    return _named(name, f" ({variant})")


def _named(name: str, end: str) -> str:
    return f"{_VERSION_AT_END.sub('', name) or name}"[: MAX_NAME - len(end)] + end


def promoted_text(
    target: AgentConfig, original: Path | None, *, defaults: Mapping[str, Any], overrides: Sequence[str]
) -> tuple[str, bool]:
    """The text of a file that loads as `target`, and whether it keeps that of the original file with its comments.

    It does so if the file still gives the target's hyperparameters, under the defaults of the base config and the
    overrides that it was trained with; these are then written into it.
    """
    kept = None if original is None else _edited(original, target, defaults, overrides)
    return (fresh_text(target), False) if kept is None else (kept, True)


def write_new(
    path: Path,
    text: str,
    *,
    if_taken: str = "Name another version with --as.",
    elsewhere: str = "Name another folder with --out.",
) -> None:
    """Write a file that must not exist yet, whole or not at all. Raises InputError, which ends with the way out."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            try:
                file.write(text)
                file.flush()
            except OSError:
                path.unlink()
                raise
    except OSError as exc:
        if isinstance(exc, FileExistsError) and path.parent.is_dir():
            raise InputError(f"{path} exists already, and is left as it is. {if_taken}") from exc
        raise InputError(f"Cannot write {path}: {exc.strerror or exc}. {elsewhere}") from exc


def write_all_new(texts: Mapping[Path, str], *, elsewhere: str) -> None:
    """Write files of which none may exist yet; where one does, none is written. Raises InputError."""
    for path in texts:
        if path.exists() or path.is_symlink():
            raise InputError(f"{path} exists already, and is left as it is; nothing was written. {elsewhere}")
    for path, text in texts.items():
        write_new(path, text, if_taken=elsewhere, elsewhere=elsewhere)


def _edited(original: Path, target: AgentConfig, defaults: Mapping[str, Any], overrides: Sequence[str]) -> str | None:
    """The original's text with the target's values; None where the file gives another config, or cannot be edited."""
    if original.suffix.lower() == ".json":
        return None
    try:
        trained = load_agent(original, defaults, parse_overrides(overrides)).config
        alone = load_agent(original, {}, ()).config
        text = original.read_text(encoding="utf-8-sig")
    except (ConfigError, OSError):  # gone or changed since: a fresh file has what was trained
        return None
    if _flat(trained, identity=False) != _flat(target, identity=False):
        return None
    before = _flat(alone)
    for key, value in _flat(target).items():
        if value != before[key]:
            replaced = _with_value(text, key, value)
            if replaced is None:
                return None
            text = replaced
    return text if _reads_as(text, target) else None


def _reads_as(text: str, target: AgentConfig) -> bool:
    try:
        data = parse_yaml(text)
        return AgentConfig.model_validate(_without_holders(data), strict=False) == target
    except (TextError, ValueError):
        return False


def _without_holders(data: Any) -> Any:
    return {key: value for key, value in data.items() if not key.startswith("x-")} if isinstance(data, dict) else data


def _flat(config: AgentConfig, *, identity: bool = True) -> dict[str, Any]:
    """Values by dotted key; `identity`: with who the config is, not only its algorithm and hyperparameters."""
    flat: dict[str, Any] = {}
    for key, value in config.model_dump(mode="json").items():
        flat |= {f"{key}.{name}": inner for name, inner in value.items()} if key in SECTIONS else {key: value}
    return flat if identity else {key: value for key, value in flat.items() if key not in _IDENTITY}


def _with_value(text: str, key: str, value: Any) -> str | None:
    """The YAML text with a value at a dotted key, where it stands or at the end; None where there is no place."""
    try:
        root = yaml.compose(text, Loader=ConfigLoader)
    except yaml.YAMLError:  # an anchor was replaced, and its alias is left
        return None
    if not isinstance(root, MappingNode):
        return None
    section, _, name = key.rpartition(".")
    within = _child(root, section) if section else root
    if within is None:
        return f"{text.rstrip()}\n\n{section}:\n  {name}: {_written(value)}\n"
    if not isinstance(within, MappingNode):
        return None
    node = _child(within, name)
    if node is not None:
        return _replaced(text, node, _written(value), keep_comment=name in _IDENTITY and name != "sweep_variant")
    if within.flow_style or not within.value:
        return None
    first, last = within.value[0][0], within.value[-1][1]
    end = _line_end(text, _end(last))
    indent = " " * first.start_mark.column
    return f"{text[:end].rstrip()}\n{indent}{name}: {_written(value)}\n{text[end:].removeprefix(chr(10))}"


def _replaced(text: str, node: Node, written: str, *, keep_comment: bool) -> str:
    """The text with another value; a comment behind a hyperparameter goes with it, for it spoke of what was there."""
    start, end = node.start_mark.index, _end(node)
    line_end = _line_end(text, end)
    if text[start:end].endswith("\n"):  # a text over several lines
        end -= 1
    elif not keep_comment and re.fullmatch(r"[ \t]*(#.*)?", text[end:line_end]):
        end = line_end
    before = text[:start].rstrip(" \t\n")
    return f"{before} {written}{text[end:]}" if before.endswith(":") else f"{text[:start]}{written}{text[end:]}"


def _end(node: Node) -> int:
    """Where the value ends; a block's own mark stands behind the comments that follow it."""
    if isinstance(node.value, list) and not getattr(node, "flow_style", False) and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _line_end(text: str, index: int) -> int:
    found = text.find("\n", index)
    return len(text) if found < 0 else found


def _child(mapping: MappingNode, key: str) -> Node | None:
    return next((value for name, value in mapping.value if name.value == key), None)


def fresh_text(target: AgentConfig) -> str:
    """All that the config says, defaults too, in the order of the model, but defaults that its algorithm ignores."""
    data = target.model_dump(mode="json")
    if data["exploration"] is None:
        del data["exploration"]
    ignored = set(leaf_keys(Hyperparameters)) - ALGORITHMS[target.algorithm].hyperparameters
    defaults = _flat(AgentConfig(agent_id="a", name="a", algorithm=target.algorithm, version=1))
    for key in ignored:
        section, _, name = key.rpartition(".")
        within = data[section] if section else data
        if within[name] == defaults[key]:
            del within[name]
    own = {key: data.pop(key) for key in ("agent_id", "name", "algorithm", "version", "sweep_variant")}
    parts = [own, {key: data.pop(key) for key in list(data) if key not in (*SECTIONS, "description", "exploration")}]
    parts += [{key: data.pop(key)} for key in SECTIONS if key in data]
    return "\n".join(_block(part) for part in (*parts, data))


def _block(values: Mapping[str, Any]) -> str:
    lines = []
    for key, value in values.items():
        if isinstance(value, dict) and key in SECTIONS:
            lines += [f"{key}:", *(f"  {name}: {_written(inner)}" for name, inner in value.items())]
        else:
            lines.append(f"{key}: {_written(value)}")
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    """A value on one line of YAML."""
    if is_stepped(value):  # without the quotes that YAML puts around whole numbers that are text
        return f"{{{', '.join(f'{step}: {_written(each)}' for step, each in value.items())}}}"
    text = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False)
    return text.removesuffix("...\n").strip()
