"""Arguments and flags that several commands share, each described once."""

from pathlib import Path
from typing import Annotated

import typer

from rlsweep.config.run import Mode

Patterns = Annotated[
    list[str],
    typer.Argument(metavar="PATTERN", help="Agent configs: quoted globs, files, or folders of .yaml, .yml, .json."),
]
BaseConfig = Annotated[
    Path | None,
    typer.Option("--base-config", metavar="PATH", help="Base training config: environment, budget, checkpoints."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Override a config key in every trial, e.g. ppo.ent_coef=0.0."),
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="smoke: quick check, detailed logs; full: the real thing.")]
Episodes = Annotated[
    int | None, typer.Option("--episodes", min=1, help="Episodes per trial, exactly (default 100 without a budget).")
]
Timesteps = Annotated[int | None, typer.Option("--total-timesteps", min=1, help="Env steps per trial.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Seeds per config, the same ones for every config.")]
WithBase = Annotated[
    bool, typer.Option("--with-base", help="Add the base config that the variants are judged against.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Trust = Annotated[bool, typer.Option("--trust", help="Load a file that is on no run's record; it can run any code.")]
SweepReference = Annotated[
    str, typer.Argument(metavar="SWEEP", help="Name, id or start of the id of a sweep; `latest` is the newest.")
]
SweepOrRun = Annotated[str, typer.Argument(metavar="SWEEP|RUN", help="Sweep (name or id) or training run (id).")]
RunReference = Annotated[str, typer.Argument(metavar="RUN", help="Id of a training run, or its start.")]
CpusPerTrial = Annotated[
    float | None,
    typer.Option("--cpus-per-trial", min=0.1, help="CPUs per trial (default 1); torch threads follow."),
]
GpusPerTrial = Annotated[
    float | None, typer.Option("--gpus-per-trial", min=0.0, help="GPUs per trial (default 0), fractions allowed.")
]
MaxConcurrent = Annotated[
    int | None, typer.Option("--max-concurrent", min=1, help="Trials at a time at most (default: as CPUs allow).")
]
Autoscale = Annotated[
    bool, typer.Option("--autoscale", help="The cluster adds nodes for trials that wait: do not count its nodes now.")
]
Address = Annotated[
    str | None,
    typer.Option("--address", help="A Ray cluster: http://HEAD:8265, or auto on one of its nodes; local for none."),
]
Detach = Annotated[bool, typer.Option("--detach", help="Leave the sweep to the service or the cluster, and end.")]
Dashboard = Annotated[bool, typer.Option("--dashboard", help="Also start Ray's dashboard on 127.0.0.1:8265.")]
Grace = Annotated[
    float, typer.Option("--grace", min=0, help="Seconds a trial may take to end once it was asked to stop.")
]
