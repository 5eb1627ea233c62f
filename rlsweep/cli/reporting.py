"""What a sweep's results show: report, export."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.cli import call
from rlsweep.cli.options import Json, SweepReference
from rlsweep.cli.output import console, print_json
from rlsweep.reports.formats import ExportFormat


def report(
    sweep: SweepReference = "latest",
    budget: Annotated[
        bool,
        typer.Option("--budget", help="Also say what more training would buy, and whether less would have done."),
    ] = False,
    json: Json = False,
) -> None:
    """Compare a sweep's configs: ranks, intervals, verdicts."""
    from rlsweep.api.sweeps import sweep as sweep_of
    from rlsweep.jsonable import jsonable
    from rlsweep.reports.budget_rendering import render_prospects, render_shorter
    from rlsweep.reports.importance_rendering import render_importance, render_space
    from rlsweep.reports.rendering import render
    from rlsweep.reports.summary import as_json

    found = sweep_of(sweep, settings=call.settings())
    summary = found.report()
    importance = found.importance()
    prospects, shorter = (found.prospects(), found.shorter()) if budget else (None, None)
    if json:
        asked = {"prospects": jsonable(prospects), "shorter_sweep": jsonable(shorter)} if budget else {}
        print_json(as_json(summary) | {"importance": jsonable(importance)} | asked)
        return
    render(summary, console())
    if summary.search_space is not None:
        render_space(summary.search_space, console())
    render_importance(importance, console())
    if prospects is not None and shorter is not None:
        render_prospects(prospects, console())
        render_shorter(shorter, console())


def export(
    sweep: SweepReference = "latest",
    format: Annotated[ExportFormat, typer.Option("--format", help="File format.")] = ExportFormat.CSV,  # noqa: A002 - the flag's name
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write into (default: the sweep's name).")
    ] = None,
) -> None:
    """Export data of a sweep to CSV or Parquet files."""
    from rlsweep.api.sweeps import sweep as sweep_of

    found = sweep_of(sweep, settings=call.settings())
    for path in found.export(output or found.name, format):
        typer.echo(path)
