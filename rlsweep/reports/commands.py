"""The commands that train a run again, for long, or go on with it, and that submit a sweep anew.

A config that was drawn from a search space is in no file: the command then writes those of its sweep first.
"""

import shlex
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rlsweep.config.foreign.blocks import file_of
from rlsweep.config.overrides import override_training, parse_overrides
from rlsweep.config.problems import check
from rlsweep.config.reading import EXTENSIONS
from rlsweep.config.training import TrainingConfig
from rlsweep.errors import ConfigError
from rlsweep.runs import Checkpoint, RunStatus, TrainingRun
from rlsweep.spaces.reading import OF_FLAGS
from rlsweep.sweep_records import Sweep

LONG_RUN_STEPS = 1_000_000
"""Env steps of the long run that is suggested for the config that was chosen."""

MOST_FILES = 8
"""Files that a command names one by one where the patterns of its sweep name the same ones."""

_BUDGET = ("--episodes", "--total-timesteps")


def train_again(run: TrainingRun, sweep: Sweep | None) -> str:
    """Train the run anew, alone: a command, or a call of Python where no files tell what it was given."""
    typed = _typed(run)
    if typed is None and _was_given_in_python(run, sweep):
        return _in_python(run, mode=_mode(run), overrides={"seed": run.seed}, **_amounts(run))
    if typed is None:
        words = [*_made_up(run, sweep), "--mode", _mode(run), "--seed", str(run.seed), *_budget(run)]
        return _with_files([run], sweep, words)
    if "first_command" in run.metadata:  # whoever went on with it may have given it a larger budget
        typed = [*_without(typed, _BUDGET), *_budget(run)]
    return shlex.join(typed)


def train_long(run: TrainingRun, sweep: Sweep | None) -> str:
    """Train the run's config for long, under what else the run, or its sweep, was given; as `train_again` says it."""
    words = _typed(run)
    if words is None and _was_given_in_python(run, sweep):
        return _in_python(run, mode="full", total_timesteps=LONG_RUN_STEPS)
    words = _made_up(run, sweep) if words is None else _without(words, [*_BUDGET, "--mode"])
    return _with_files([run], sweep, [*words, "--mode", "full", "--total-timesteps", str(LONG_RUN_STEPS)])


def train_file(path: Path, run: TrainingRun, sweep: Sweep | None) -> str:
    """Train the agent config in the file for long, under what the run was given that is no hyperparameter.

    It is a command, or a call of Python where the base config is in no file.
    """
    drawn = sweep is not None and sweep.space is not None
    in_python = _base_is_in_no_file(run, sweep) if drawn else _was_given_in_python(run, sweep)
    if in_python and (sweep is None or sweep.base_config_path is None):
        return (
            f"rlsweep.train({str(path)!r}, base_config=rlsweep.run('{str(run.id)[:8]}').training_config, "
            f"mode='full', total_timesteps={LONG_RUN_STEPS})"
        )
    words = ["rlsweep", "train", "--agent-config", str(path)]
    base, overrides = _base_and_overrides(run, sweep)
    words += [] if base is None else ["--base-config", base]
    for text in overrides:
        if not parse_overrides([text])[0].for_agent:
            words += ["--set", text]
    return shlex.join([*words, "--mode", "full", "--total-timesteps", str(LONG_RUN_STEPS)])


def race_files(runs: Sequence[TrainingRun], sweep: Sweep, *, budgets: float = 1.0, is_part: bool = False) -> str | None:
    """Race the agent configs of these runs anew under what their sweep was given, each run for so many budgets.

    runs: one of each config; is_part: they are not all of the sweep's configs, so that its patterns do not name them
    None where an agent config or the base config is in no file.
    """
    if any(_was_given_in_python(run, sweep) for run in runs):
        return None
    files = [_path(run, sweep) for run in runs] if is_part or len(runs) <= MOST_FILES else _patterns(runs, sweep)
    if files == [*sweep.patterns] and any(run.sweep_variant is None for run in runs):
        files.append("--with-base")
    words = ["rlsweep", "race", *files, *_given(sweep), "--mode", sweep.mode]
    for name, amount in _amounts(runs[0]).items():
        words += [f"--{name.replace('_', '-')}", str(round(budgets * amount))]
    return _with_files(runs, sweep, words)


def submit_longer(run: TrainingRun, sweep: Sweep, firsts: Sequence[TrainingRun], *, option: str, amount: int) -> str:
    """Submit the sweep's configs anew with another budget: a command, or a call of Python where no files tell them.

    run: any of its runs; firsts: the first run of each config; option: flag of the budget
    """
    words = _command(run)
    if words[1:2] == ["submit"]:
        words = _without(["rlsweep", *words[1:]], [*_BUDGET, "--name"])
        return shlex.join([*words, option, str(amount)])
    seeds = len(sweep.seeds)
    if any(_was_given_in_python(each, sweep) for each in firsts):
        name = option.removeprefix("--").replace("-", "_")
        return (
            f"rlsweep.submit([rlsweep.run(id).agent_config for id in {[str(each.id)[:8] for each in firsts]}], "
            f"base_config=rlsweep.run('{str(run.id)[:8]}').training_config, mode={sweep.mode!r}, seeds={seeds}, "
            f"{name}={amount})"
        )
    paths = dict.fromkeys(_path(each, sweep) for each in firsts)
    if len(paths) > MOST_FILES and any(_is_drawn(each, sweep) for each in firsts):
        paths = dict.fromkeys(_patterns(firsts, sweep))
    words = ["rlsweep", "submit", *paths, *_given(sweep)]
    return _with_files(firsts, sweep, [*words, "--mode", sweep.mode, "--seeds", str(seeds), option, str(amount)])


def go_on(run: TrainingRun, checkpoint: Checkpoint) -> str | None:
    """Go on from the checkpoint; None where a trial of a sweep is complete."""
    words = ["rlsweep", "train", "--resume", checkpoint.uri]
    if run.status is RunStatus.COMPLETED:
        if run.sweep_id is not None:
            return None
        words += ["--total-timesteps", str(2 * run.env_steps)]
    return shlex.join(words)


def _command(run: TrainingRun) -> list[str]:
    """The words of the command that began the run; none if that is not on record or cannot be read."""
    command: Any = run.metadata.get("first_command", run.metadata.get("command"))
    try:
        return shlex.split(command) if isinstance(command, str) else []
    except ValueError:
        return []


def _typed(run: TrainingRun) -> list[str] | None:
    """The `rlsweep train` that began a run without a sweep, as it was typed; None if that is not on record."""
    words = _command(run)
    if run.sweep_id is not None or words[1:2] != ["train"]:
        return None
    return ["rlsweep", *words[1:]] if any(word.partition("=")[0] == "--agent-config" for word in words) else None


def _was_given_in_python(run: TrainingRun, sweep: Sweep | None) -> bool:
    """Whether its agent config or its base config is in no file, and no command can write it from the record."""
    return (run.config_path is None and not _is_drawn(run, sweep)) or _base_is_in_no_file(run, sweep)


def _is_drawn(run: TrainingRun, sweep: Sweep | None) -> bool:
    """Whether its agent config was drawn from a search space that was a file, or flags of a command."""
    if run.config_path is not None or sweep is None or sweep.space is None:
        return False
    return str(sweep.space["source"]).endswith((*EXTENSIONS, OF_FLAGS))


def _folder(sweep: Sweep) -> str:
    """Where commands write the configs of the sweep."""
    return f"{sweep.name}-configs"


def _path(run: TrainingRun, sweep: Sweep | None) -> str:
    """The file of the run's agent config; where it was drawn, the one that a command writes."""
    if sweep is not None and _is_drawn(run, sweep):
        return f"{_folder(sweep)}/{file_of(run.config['agent'])}"
    assert run.config_path is not None
    return run.config_path


def _patterns(runs: Sequence[TrainingRun], sweep: Sweep) -> list[str]:
    """What names the files of all configs of the sweep."""
    return [f"{_folder(sweep)}/*.yaml"] if any(_is_drawn(run, sweep) for run in runs) else [*sweep.patterns]


def _with_files(runs: Sequence[TrainingRun], sweep: Sweep | None, words: Sequence[str]) -> str:
    """The command; before it, the one that writes the configs of the sweep, if a run's config was drawn."""
    command = shlex.join(words)
    if sweep is None or not any(_is_drawn(run, sweep) for run in runs):
        return command
    return f"{shlex.join(['rlsweep', 'configs', sweep.name, '--write', _folder(sweep)])} && {command}"


def _base_is_in_no_file(run: TrainingRun, sweep: Sweep | None) -> bool:
    if sweep is None:
        words = _command(run)
        return bool(words) and words[1:2] != ["train"]
    if sweep.base_config_path is not None:
        return False
    try:
        defaults, _ = check(TrainingConfig, override_training({}, parse_overrides(sweep.overrides)))
    except ConfigError:  # an override of an older version: no command would take it either
        return True
    recorded, _ = check(TrainingConfig, sweep.base_config)
    return recorded != defaults


def _in_python(run: TrainingRun, **options: Any) -> str:
    """Train the run's own config again through the Python API, which takes it from the record."""
    given = ", ".join(f"{name}={value!r}" for name, value in options.items())
    return f"rlsweep.train(rlsweep.run('{str(run.id)[:8]}'), {given})"


def _made_up(run: TrainingRun, sweep: Sweep | None) -> list[str]:
    """The config of a run under the base config and overrides of its sweep, if it has one."""
    words = ["rlsweep", "train", "--agent-config", _path(run, sweep)]
    return words if sweep is None else [*words, *_given(sweep)]


def _given(sweep: Sweep) -> list[str]:
    """The base config and the overrides that the sweep was given."""
    words = [] if sweep.base_config_path is None else ["--base-config", sweep.base_config_path]
    for override in sweep.overrides:
        words += ["--set", override]
    return words


def _base_and_overrides(run: TrainingRun, sweep: Sweep | None) -> tuple[str | None, Sequence[str]]:
    """The base config's path and the overrides of the run's sweep, or of the command that began it."""
    if sweep is not None:
        return sweep.base_config_path, sweep.overrides
    found: dict[str, list[str]] = {"--base-config": [], "--set": []}
    words = iter(_typed(run) or [])
    for word in words:
        flag, equals, value = word.partition("=")
        if flag in found:
            found[flag].append(value if equals else next(words, ""))
    return next(iter(found["--base-config"]), None), found["--set"]


def _without(words: list[str], options: Collection[str]) -> list[str]:
    """The command less some options, each of which takes a value."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in options:
            next(rest, None)
        elif word.partition("=")[0] not in options:
            kept.append(word)
    return kept


def _mode(run: TrainingRun) -> str:
    return run.mode or "full"


def _amounts(run: TrainingRun) -> dict[str, int]:
    """Its budget: `episodes`, `total_timesteps` or both."""
    return {name: amount for name, amount in asdict(run.budget).items() if amount}


def _budget(run: TrainingRun) -> list[str]:
    amounts = _amounts(run).items()
    return [word for flag, amount in amounts for word in (f"--{flag.replace('_', '-')}", str(amount))]
