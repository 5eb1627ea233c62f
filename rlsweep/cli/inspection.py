"""Looking at what is on record: sweeps, status, runs, show."""

from typing import TYPE_CHECKING, Annotated

import typer

from rlsweep.analysis.rungs import waits_at
from rlsweep.analysis.wording import duration, hyperparameter, limits, number, percent
from rlsweep.api.references import NO_SWEEPS, find_sweep
from rlsweep.api.status import MOST_SHOWN
from rlsweep.cli import call, completion
from rlsweep.cli.observer import ConsoleObserver
from rlsweep.cli.options import Json, RunReference, Tags, lowered
from rlsweep.cli.output import console, print_json, when
from rlsweep.cli.reporting import export, report
from rlsweep.cli.service import describe
from rlsweep.cli.stopping import stop, tell_abandoned
from rlsweep.errors import NotFoundError
from rlsweep.jsonable import jsonable
from rlsweep.paths import Paths
from rlsweep.process_identity import describe_process
from rlsweep.reports.layout import MISSING, Column, laid_out
from rlsweep.reports.progress import progress_table
from rlsweep.runs import Budget, RunStatus

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from rlsweep.api.status import SweepStanding
    from rlsweep.reports.run_scores import RunScore
    from rlsweep.runs import TrainingRun
    from rlsweep.store.sweeps import ListedSweep

MOST_LISTED = 10**9

NO_RUNS = "No training runs yet. Start some: rlsweep submit 'config/agents/ppo_agent_sweep_*.yaml'"


def register(app: typer.Typer) -> None:
    """Add the room's commands."""
    for command in (sweeps, status, runs, show, report, export, stop):
        app.command()(command)


def sweeps(
    tag: Tags = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_LISTED, help="How many to list.")] = 20,
    json: Json = False,
) -> None:
    """List the sweeps, newest first."""
    from rlsweep.api.settling import settle_all_abandoned
    from rlsweep.store import sweeps as store
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        tell_abandoned(settle_all_abandoned(database))
        listed = store.list_recent(database, limit, tags=lowered(tag))
    if json:
        return print_json(listed)
    if not listed:
        return typer.echo("No sweeps match." if tag else NO_SWEEPS)
    _print_rows(*_sweep_rows(listed))
    return None


def _sweep_rows(listed: "Sequence[ListedSweep]") -> "tuple[list[Column], Sequence[Sequence[str]]]":
    is_tagged = any(entry.sweep.tags for entry in listed)
    rows: list[tuple[str, ...]] = []
    for entry in listed:
        sweep = entry.sweep
        counts = ", ".join(f"{count} {status.value}" for status, count in entry.runs_by_status.items())
        took = duration((sweep.finished_at - sweep.created_at).total_seconds()) if sweep.finished_at else MISSING
        cells = (sweep.name, sweep.status.value, counts, sweep.mode, when(sweep.created_at), took)
        rows.append((*cells, ", ".join(sweep.tags)) if is_tagged else cells)
    columns = [Column("sweep"), *(Column(name, is_figure=False, is_plain=True) for name in ("status", "trials"))]
    columns += [
        Column("mode", is_figure=False, is_extra=True),
        *(Column(name, is_figure=False) for name in ("created", "took", *(["tags"] if is_tagged else []))),
    ]
    return columns, rows


def _print_rows(columns: "Sequence[Column]", rows: "Sequence[Sequence[str]]") -> None:
    out = console()
    for part in laid_out(columns, rows, out.width):
        out.print(part)


def status(
    sweep: Annotated[
        str,
        typer.Argument(metavar="SWEEP", help="Name or id; the newest without it.", autocompletion=completion.sweeps),
    ] = "latest",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show progress until the sweep is finished.")] = False,
    json: Json = False,
) -> None:
    """Show the service, if it is up, and a sweep's progress: a line per trial, and a total."""
    from rlsweep.api.status import status as status_of
    from rlsweep.places.service import find_service

    settings = call.settings()
    service = find_service(Paths(settings).service) if sweep == "latest" else None
    if service is not None and not json:
        typer.echo(f"The service is up since {when(service.since)}.\n{describe(service)}\n")
    try:
        standing = status_of(
            sweep,
            settings=settings,
            observer=ConsoleObserver(console(stderr=json)),
            follow=follow,
            shown=MOST_LISTED if json else MOST_SHOWN,
        )
    except NotFoundError as error:
        if service is None or json:
            raise
        return typer.echo(str(error))
    tell_abandoned(standing.abandoned)
    if json:
        seen = standing.overview
        decided = {"decision": seen.decision, "asha": seen.asha, "population": seen.population}
        return print_json(
            {"sweep": standing.sweep, "runs": seen.runs, "service": service and service.as_shown, **decided}
        )
    return _print_standing(standing)


def _print_standing(standing: "SweepStanding") -> None:
    found, seen = standing.sweep, standing.overview
    where = f" on {found.address}" if found.address else ""
    typer.echo(f"Sweep {found.name}: {found.status.value}{where}, {found.mode} mode, since {when(found.created_at)}")
    out = console()
    out.print(progress_table(seen, width=out.width))
    if len(seen.runs) < seen.total:
        typer.echo(f"All of them: rlsweep runs --sweep {found.name} --limit {seen.total}")
    if found.address is not None and found.driver is None and not found.status.is_finished:
        typer.echo(f"It has no driver now. The log of its last one: rlsweep logs {found.name}")
    if standing.lost_driver is not None:
        typer.echo(
            f"Its driver {describe_process(standing.lost_driver)} gives no sign of life, so pending trials will not "
            f"begin. Continue it with `rlsweep resume {found.name}`, or end it with `rlsweep stop {found.name}`."
        )


def runs(
    sweep: Annotated[
        str | None,
        typer.Option("--sweep", help="List only runs of this sweep.", autocompletion=completion.sweeps),
    ] = None,
    agent_id: Annotated[str | None, typer.Option("--agent-id", help="List only runs of this agent.")] = None,
    status: Annotated[RunStatus | None, typer.Option("--status", help="List only runs in this status.")] = None,
    tag: Tags = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=MOST_LISTED, help="How many to list.")] = 50,
    json: Json = False,
) -> None:
    """List training runs, newest first."""
    from rlsweep.api.settling import settle_all_abandoned
    from rlsweep.reports.run_scores import run_scores
    from rlsweep.store import training_runs
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        tell_abandoned(settle_all_abandoned(database))
        sweep_id = None if sweep is None else find_sweep(database, sweep).id
        listed = training_runs.list_runs(
            database, sweep_id=sweep_id, agent_id=agent_id, status=status, tags=lowered(tag), limit=limit
        )
        scores = run_scores(database, listed)
    if json:
        return print_json([_with_score(run, scores.get(run.id)) for run in listed])
    if not listed:
        filtered = sweep or agent_id or status or tag
        return typer.echo("No training runs match." if filtered else NO_RUNS)
    definitions = {score.definition for score in scores.values()}
    _print_rows(*_run_rows(listed, scores, is_mixed=len(definitions) > 1))
    if len(definitions) == 1:
        typer.echo(f"Score: {definitions.pop()}; wins: in the same episodes.")
    return None


def _run_rows(
    listed: "Sequence[TrainingRun]", scores: "Mapping[UUID, RunScore]", *, is_mixed: bool
) -> "tuple[list[Column], Sequence[Sequence[str]]]":
    """A row a run; what was scored stands in it where that is not the same in all."""
    columns = [Column("run"), Column("config", is_figure=False, is_plain=True), Column("seed")]
    columns += [Column("status", is_figure=False, is_plain=True)]
    columns += map(Column, ("episodes", "env steps", "score", "wins"))
    columns += [Column("score is", is_figure=False)] if is_mixed else []
    is_tagged = any(run.tags for run in listed)
    columns += [Column("tags", is_figure=False)] if is_tagged else []
    rows: list[tuple[str, ...]] = []
    for run in listed:
        score = scores.get(run.id)
        cells: tuple[str, ...] = (
            str(run.id)[:8],
            run.config_short_name,
            str(run.seed),
            waits_at(run) or run.status.value,
            f"{run.episodes:,}",
            f"{run.env_steps:,}",
            MISSING if score is None else number(score.value),
            MISSING if score is None or score.win_rate is None else percent(score.win_rate),
        )
        if is_mixed:
            cells = (*cells, "" if score is None else score.definition)
        rows.append((*cells, ", ".join(run.tags)) if is_tagged else cells)
    return columns, rows


def show(run: RunReference, json: Json = False) -> None:
    """Show one training run: config, figures, checkpoints, error."""
    from rlsweep.api.settling import settle_all_abandoned
    from rlsweep.reports.run_scores import run_scores
    from rlsweep.store import curves, training_runs
    from rlsweep.store.opening import open_database

    with open_database(call.settings()) as database:
        tell_abandoned(settle_all_abandoned(database))
        found = training_runs.get(database, run)
        checkpoints = curves.checkpoints_of(database, found.id)
        evaluations = curves.evaluations_of(database, [found.id]).get(found.id, [])
        score = run_scores(database, [found]).get(found.id)
    if json:
        return print_json({"run": _with_score(found, score), "checkpoints": checkpoints, "evaluations": evaluations})
    out = console()
    for label, value in _facts(found, score).items():
        out.print(f"{label:<18} {value}", markup=False, soft_wrap=True)
    for checkpoint in checkpoints:
        out.print(
            f"{'checkpoint':<18} {checkpoint.uri} (episode {checkpoint.episode:,}, {checkpoint.env_steps:,} env steps)",
            markup=False,
            soft_wrap=True,
        )
    if found.error_text:
        out.print(f"\n{found.error_text.rstrip()}", markup=False, soft_wrap=True)
    return None


def _with_score(run: "TrainingRun", score: "RunScore | None") -> dict[str, object]:
    """The run's record as JSON, with its score and what that is."""
    found = {
        "score": None if score is None else score.value,
        "score_definition": None if score is None else score.definition,
        "score_win_rate": None if score is None else score.win_rate,
    }
    return {**jsonable(run), **jsonable(found)}


def _facts(run: "TrainingRun", score: "RunScore | None") -> dict[str, str]:
    agent = run.config["agent"]
    facts = {
        "run": str(run.id),
        "status": waits_at(run) or run.status.value,
        "config": f"{run.config_name} (version {run.version})",
        "config path": run.config_path or "none: drawn from a search space, or given as a dict",
        "algorithm": run.algorithm,
        "learning rate": hyperparameter(agent["learning_rate"]),
        "gamma": hyperparameter(agent["gamma"]),
        "n_steps": str(agent["n_steps"]),
        "batch size": hyperparameter(agent["batch_size"]),
        "epochs": hyperparameter(agent["n_epochs"]),
        "network": f"{agent['network']['net_arch']} {agent['network']['activation_fn']}",
        "ppo": ", ".join(f"{key} {hyperparameter(value)}" for key, value in agent["ppo"].items()),
        "environment": _environment(run),
        "seed": str(run.seed),
        "attempt": str(run.attempt),
        "episodes": f"{run.episodes:,}",
        "env steps": f"{run.env_steps:,}",
        "updates": f"{run.updates:,}",
    }
    if score is not None:
        facts["score"] = f"{number(score.value)} ({score.definition})"
        if score.win_rate is not None:
            facts["win rate"] = f"{percent(score.win_rate)} in the same episodes"
    if run.mean_reward is not None:
        facts["recent reward"] = f"{number(run.mean_reward)} over the last 100 training episodes"
    if run.started_at is not None and run.ended_at is not None:
        facts["took"] = duration((run.ended_at - run.started_at).total_seconds())
    if run.end_reason is not None and run.end_reason.value != run.status.value:
        facts["status"] += f" ({run.end_reason})"
    if run.pause_at is not None:
        facts["pauses at"] = f"{percent(run.pause_at)} of its budget"
    if kept := run.config.get("schedule_budget"):
        facts["schedules"] = f"over {limits(Budget(**kept))}, then 0"
    if run.weights_from is not None:
        facts["weights from"] = run.weights_from
    if run.actor is not None:
        facts["actor"] = f"{run.actor.id} on node {run.actor.node}, process {run.actor.pid}"
    if run.tags:
        facts["tags"] = ", ".join(run.tags)
    if run.note:
        facts["note"] = run.note
    facts.update({key.replace("_", " "): _plain(value) for key, value in run.metadata.items() if value is not None})
    return facts


def _environment(run: "TrainingRun") -> str:
    """The environment's id, and its other keys where they are not the defaults."""
    from rlsweep.config.training import EnvironmentSpec

    spec = run.config.get("training", {}).get("environment", {})
    defaults = EnvironmentSpec().model_dump(mode="json")
    others = [f"{key} {value}" for key, value in spec.items() if key != "id" and value != defaults.get(key)]
    return f"{run.environment} ({'; '.join(others)})" if others else str(run.environment)


def _plain(value: object) -> str:
    return ", ".join(f"{key} {entry}" for key, entry in value.items()) if isinstance(value, dict) else str(value)
