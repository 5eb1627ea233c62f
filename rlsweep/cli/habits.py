"""What users of other tools type, answered with the command to type here."""

import re
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any

import typer
from typer.core import TyperGroup

from rlsweep.config import habits
from rlsweep.config.keys import FLAGS
from rlsweep.config.overrides import settable_key
from rlsweep.config.reading import EXTENSIONS
from rlsweep.errors import InputError

_MAX_SHOWN = 500

_COMMANDS: Mapping[str, str] = {
    **dict.fromkeys(("sweep", "tune", "search", "optimize", "agent", "launch", "hpo"), "submit"),
    **dict.fromkeys(("learn", "fit"), "train"),
    **dict.fromkeys(("evaluate", "enjoy", "play", "test", "watch"), "eval"),
    **dict.fromkeys(("list", "ls", "trials", "experiments"), "runs"),
    **dict.fromkeys(("ps", "top", "info"), "status"),
    **dict.fromkeys(("kill", "cancel", "abort", "pause"), "stop"),
    **dict.fromkeys(("rm", "remove", "del"), "delete"),
    **dict.fromkeys(("continue", "restart"), "resume"),
    **dict.fromkeys(("compare", "summary", "results", "analyze"), "report"),
    **dict.fromkeys(("ui", "web", "dashboard", "board"), "serve"),
    **dict.fromkeys(("check", "validate", "dry-run", "estimate"), "plan"),
    "tb": "tensorboard",
    "follow": "attach",
    "help": "--help",
    "version": "--version",
}
"""Commands of other tools, and ours."""

_ONE_OR_SEVERAL = ("run", "start", "exec")
"""Words that may mean one run or a sweep."""

_FLAGS: Mapping[str, tuple[str, ...]] = {
    "config": ("--agent-config",),
    "agent": ("--agent-config",),
    "conf_file": ("--agent-config",),
    "training_config": ("--base-config",),
    "base": ("--base-config",),
    "checkpoint": ("--resume",),
    "load": ("--resume",),
    "resume_from": ("--resume",),
    "trained_agent": ("--resume",),
    "n_seeds": ("--seeds",),
    "num_seeds": ("--seeds",),
    "seed": ("--seed", "--set seed="),
    "workers": ("--max-concurrent",),
    "num_workers": ("--max-concurrent", "--set n_envs="),
    "n_jobs": ("--max-concurrent",),
    "jobs": ("--max-concurrent",),
    "parallel": ("--max-concurrent",),
    "num_cpus": ("--cpus-per-trial", "--threads"),
    "cpus": ("--cpus-per-trial", "--threads"),
    "num_gpus": ("--gpus-per-trial",),
    "gpus": ("--gpus-per-trial",),
    "num_threads": ("--threads", "--cpus-per-trial"),
}
"""Flags of other tools, and ours: the first that the command has."""

_EXTRA = re.compile(r"Got unexpected extra arguments?(\(s\))? \((?P<words>.*)\)", re.DOTALL)
_RUN_ID = re.compile(r"[0-9a-f]{6,8}|[0-9a-f-]{36}")
_TYPED = "rlsweep typed"


class HabitsGroup(TyperGroup):
    """A group of commands that answers those of other tools, and their arguments, with what to type here."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command. Raises InputError, with the command to type, for one that another tool has."""
        name, given = args[0], args[1:]
        if not ctx.resilient_parsing and name not in self.commands and (typed := _instead_of_command(name, given)):
            raise InputError(f"There is no command {name[:_MAX_SHOWN]!r}. {typed}")
        ctx.meta[_TYPED] = (name, given)
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Raises InputError, with the command to type, for a flag or argument of another tool."""
        try:
            return super().invoke(ctx)
        except typer.TyperException as error:
            self._answer(error, *ctx.meta.get(_TYPED, ("", [])))
            raise

    def _answer(self, error: typer.TyperException, name: str, given: list[str]) -> None:
        command = self.commands.get(name)
        if command is None:
            return
        flag = getattr(error, "option_name", None)
        if flag is not None:
            flags = {option for parameter in command.params for option in parameter.opts}
            _answer_flag(name, given, flag, flags)
        elif name == "train" and (found := _EXTRA.match(getattr(error, "message", ""))):
            _answer_positional(given, found["words"])


def _instead_of_command(name: str, given: Sequence[str]) -> str | None:
    if PurePath(name).suffix.lower() in EXTENSIONS or any(sign in name for sign in "*?["):
        return _one_or_several([name, *given])
    if name in _ONE_OR_SEVERAL:
        return _one_or_several(given or ["CONFIG"])
    ours = _COMMANDS.get(name)
    if ours == "train" and given and not given[0].startswith("-"):
        return _typed("train", "--agent-config", *given)
    if ours == "submit" and not given:
        given = ["config/agents/*.yaml"]
    return None if ours is None else _typed(ours, *given)


def _one_or_several(given: Sequence[str]) -> str:
    """How to train one config, or several of them."""
    is_pattern = any(sign in given[0] for sign in "*?[")
    if is_pattern or (len(given) > 1 and not given[1].startswith("-")):
        return _typed("submit", *given)
    return f"{_typed('train', '--agent-config', *given)} (or, to compare several: {_line('submit', *given)})"


def _answer_positional(given: Sequence[str], words: str) -> None:
    """Raise InputError where `train` was given files, or a run, without their flag."""
    named = words.split(" ")
    extra = [word for word in given if word in named]
    rest = [word for word in given if word not in named]
    if not extra:
        return
    if len(extra) > 1:
        raise InputError(f"train takes one config. {_typed('submit', *extra, *rest)}")
    is_run = extra[0].endswith(".zip") or _RUN_ID.fullmatch(extra[0])
    flag = "--resume" if is_run else "--agent-config"
    if flag in rest:
        return
    what = "a run" if is_run else "its config"
    raise InputError(f"train takes {what} by a flag. {_typed('train', flag, *extra, *rest)}")


def _answer_flag(command: str, given: Sequence[str], flag: str, flags: set[str]) -> None:
    """Raise InputError where another tool's flag is one of ours, or one of our keys."""
    name = habits.plain_key(flag)
    place, value, after = _place_of(given, flag)
    before = given[:place]
    if name in _FLAGS and (ours := next((each for each in _FLAGS[name] if each.split()[0] in flags), None)):
        words = ours.split(" ")
    elif name in _FLAGS and "--agent-config" in _FLAGS[name] and command in ("submit", "plan"):
        raise InputError(f"{command} takes its configs without a flag. {_typed(command, value, *before, *after)}")
    elif (key := _key(name)) is None:
        return
    elif (own := FLAGS.get(key, f"--{key.rpartition('.')[2].replace('_', '-')}")) in flags:
        words = [own]
    elif "--set" in flags:
        words = ["--set", f"{key}="]
    else:
        return
    setting = [*words[:-1], f"{words[-1]}{value}"] if words[-1].endswith("=") else [*words, value]
    raise InputError(f"{command} has no flag {flag}. {_typed(command, *before, *setting, *after)}")


def _key(name: str) -> str | None:
    """Our config key for a flag's name, which may be another tool's."""
    with suppress(ValueError):
        return settable_key(name)
    return habits.our_key(name)


def _place_of(given: Sequence[str], flag: str) -> tuple[int, str, list[str]]:
    """Where a flag stands, its value, and what follows that."""
    for place, word in enumerate(given):
        name, equals, value = word.partition("=")
        if name == flag:
            if equals:
                return place, value, list(given[place + 1 :])
            has_value = place + 1 < len(given) and not given[place + 1].startswith("--")
            return place, given[place + 1] if has_value else "VALUE", list(given[place + 1 + has_value :])
    return len(given), "VALUE", []


def _typed(*words: str) -> str:
    return f"Type: {_line(*words)}"


def _line(*words: str) -> str:
    line = "rlsweep " + shlex.join(words)
    return line if len(line) <= _MAX_SHOWN else f"{line[:_MAX_SHOWN]} …"
