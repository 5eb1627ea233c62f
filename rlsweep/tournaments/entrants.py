"""Who plays a tournament: the final checkpoints of runs, and fixed opponents."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from gymnasium import spaces

from rlsweep.config.run import RunConfig
from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs.dense_policy import pack
from rlsweep.envs.matches import make_fixed_opponent, make_two_player_game
from rlsweep.errors import InputError
from rlsweep.reports.records import by_config
from rlsweep.reports.run_scores import run_scores
from rlsweep.runs import RunStatus, TrainingRun
from rlsweep.storage import locate
from rlsweep.store import training_runs
from rlsweep.sweep_records import Sweep
from rlsweep.tournament_records import Player

if TYPE_CHECKING:
    from rlsweep.store.database import Database

_FIXED = re.compile(r"random|mcts(:[1-9]\d*)?")

FEWEST_PLAYERS = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Entrants:
    """Who plays, and what. left_out: runs of the sweeps that did not complete; max_moves: of one player in a game."""

    spec: EnvironmentSpec
    players: tuple[Player, ...]
    left_out: int
    max_moves: int | None


def entrants(
    database: "Database", chosen: Sequence[Sweep | TrainingRun], opponents: Sequence[str], *, best: bool
) -> Entrants:
    """The players of a tournament: of a sweep its completed runs, and each run that is named; then the opponents.

    best: of each config only the run with the best score

    Raises InputError where they cannot play each other: fewer than two, other games, a game that is not for two, no
    checkpoint, an opponent that cannot play.
    """
    for opponent in opponents:
        if not _FIXED.fullmatch(opponent):
            raise InputError(f"--opponent {opponent}: write random, mcts or mcts:SIMULATIONS.")
    runs, left_out = _runs(database, chosen)
    names = _config_names(runs)
    if best:
        runs = _best(database, runs, names)
    fixed = list(dict.fromkeys(opponents))
    if not runs or len(runs) + len(fixed) < FEWEST_PLAYERS:
        raise InputError(_too_few(chosen, len(runs), left_out))
    spec = _common_game(runs)
    make_two_player_game(spec).close()
    for name in fixed:
        make_fixed_opponent(spec, name)
    players = [*_players(database, runs, names), *(_fixed(name) for name in fixed)]
    limits = [RunConfig.from_record(run.config).training.max_steps_per_episode for run in runs]
    return Entrants(
        spec=spec,
        players=tuple(replace(player, number=number) for number, player in enumerate(players)),
        left_out=left_out,
        max_moves=None if None in limits else max(limit for limit in limits if limit is not None),
    )


def packed_policies(spec: EnvironmentSpec, players: Sequence[Player]) -> bytes:
    """The policies of the players with a checkpoint, as `envs.dense_policy.pack` has them, with their numbers as notes.

    Raises InputError for a checkpoint that is not the recorded one or whose network NumPy cannot play.
    """
    from rlsweep.envs.checkpoint_opponent import CheckpointOpponent
    from rlsweep.errors import CheckpointError, EnvironmentSpecError
    from rlsweep.training.checkpoints import checksum

    game = make_two_player_game(spec)
    actions, seen = game.action_space, game.observation_space
    assert isinstance(actions, spaces.Discrete)
    assert seen.shape is not None
    policies = []
    for player in players:
        if player.checkpoint is None:
            continue
        path = locate(player.checkpoint)
        try:
            is_recorded = checksum(path) == player.sha256
        except CheckpointError as exc:
            raise InputError(str(exc)) from exc
        if not is_recorded:
            raise InputError(f"The checkpoint of {player.name}, {path}, is not the file on record. Leave that run out.")
        loaded = CheckpointOpponent(path, actions=int(actions.n), observation_size=seen.shape[0])
        try:
            policies.append((loaded.policy(), {"number": player.number}))
        except EnvironmentSpecError as exc:
            raise InputError(f"{player.name}: {exc} Leave that run out.") from exc
    game.close()
    return pack([policy for policy, _ in policies], [note for _, note in policies])


def _runs(database: "Database", chosen: Sequence[Sweep | TrainingRun]) -> tuple[list[TrainingRun], int]:
    """The runs, each once, and how many runs of the sweeps did not complete."""
    found: dict[UUID, TrainingRun] = {}
    left_out = 0
    for each in chosen:
        if isinstance(each, TrainingRun):
            found[each.id] = each
            continue
        of_sweep = training_runs.of_sweep(database, each.id)
        completed = [run for run in of_sweep if run.status is RunStatus.COMPLETED]
        left_out += len(of_sweep) - len(completed)
        found |= {run.id: run for run in completed}
    return list(found.values()), left_out


def _config_names(runs: Sequence[TrainingRun]) -> dict[UUID, str]:
    """The name of each run's config, with the sweep's where there are several."""
    by_sweep: dict[UUID, list[TrainingRun]] = {}
    for run in runs:
        by_sweep.setdefault(run.sweep_id or run.id, []).append(run)
    names: dict[UUID, str] = {}
    for group in by_sweep.values():
        of = "" if len(by_sweep) == 1 else f" of {group[0].sweep_name or str(group[0].id)[:8]}"
        names |= {run.id: f"{config.name}{of}" for config in by_config(group) for run in config.runs}
    return names


def _best(database: "Database", runs: Sequence[TrainingRun], names: dict[UUID, str]) -> list[TrainingRun]:
    """Of each config the run with the best score; the first one where none has a score."""
    scores = run_scores(database, runs)
    best: dict[str, TrainingRun] = {}
    for run in sorted(runs, key=lambda run: -scores[run.id].value if run.id in scores else float("inf")):
        best.setdefault(names[run.id], run)
    return [run for run in runs if best[names[run.id]] is run]


def _too_few(chosen: Sequence[Sweep | TrainingRun], runs: int, left_out: int) -> str:
    what = " and ".join(each.name if isinstance(each, Sweep) else f"run {str(each.id)[:8]}" for each in chosen)
    missing = f" ({left_out} did not complete)" if left_out else ""
    found = "no completed run" if runs == 0 else "one completed run"
    return (
        f"A tournament needs two players, and {what} has {found}{missing}. Name more sweeps or runs, or add "
        "--opponent random."
    )


def _common_game(runs: Sequence[TrainingRun]) -> EnvironmentSpec:
    """The game of all runs, without their opponents. Raises InputError where they were trained in several."""
    specs = [
        RunConfig.from_record(run.config).training.environment.model_copy(update={"opponent": "random"}) for run in runs
    ]
    for run, spec in zip(runs, specs, strict=True):
        if spec != specs[0]:
            raise InputError(
                f"{runs[0].label} plays {_described(specs[0])} and {run.label} plays {_described(spec)}, so they "
                "cannot meet. Name runs of one game."
            )
    return specs[0]


def _described(spec: EnvironmentSpec) -> str:
    others = spec.model_dump(mode="json", exclude_defaults=True, exclude={"id", "opponent"})
    return spec.id + "".join(f", {key} {value}" for key, value in others.items())


def _players(database: "Database", runs: Sequence[TrainingRun], names: dict[UUID, str]) -> list[Player]:
    players = []
    for run in runs:
        checkpoint = training_runs.latest_checkpoint(database, run.id)
        if checkpoint is None:
            raise InputError(
                f"{run.label} ({str(run.id)[:8]}) has no checkpoint and is {run.status}. Leave it out, or train it."
            )
        players.append(
            Player(
                number=0,
                name=f"{names[run.id]} seed {run.seed}",
                config=names[run.id],
                seed=run.seed,
                run_id=run.id,
                checkpoint=checkpoint.uri,
                sha256=checkpoint.sha256,
                env_steps=checkpoint.env_steps,
            )
        )
    return players


def _fixed(name: str) -> Player:
    return Player(
        number=0, name=name, config=name, seed=None, run_id=None, checkpoint=None, sha256=None, env_steps=None
    )
