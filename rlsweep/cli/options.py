"""Arguments and flags, each described once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from rlsweep.cli import completion
from rlsweep.config.run import Mode

Patterns = Annotated[
    list[str],
    typer.Argument(
        metavar="PATTERN",
        help="Agent configs: quoted globs, files, or folders of .yaml, .yml, .json; or the file of a search space.",
    ),
]
BaseConfig = Annotated[
    Path | None,
    typer.Option("--base-config", metavar="PATH", help="Base training config: environment, budget, checkpoints."),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a config key in every trial, such as ppo.ent_coef=0.0 or environment=ale_py:ALE/Pong-v5.",
    ),
]
ModeOption = Annotated[Mode, typer.Option("--mode", help="smoke: quick check, detailed logs; full: the real thing.")]
Episodes = Annotated[
    int | None, typer.Option("--episodes", min=1, help="Episodes per trial (default 100 without a budget).")
]
Timesteps = Annotated[int | None, typer.Option("--total-timesteps", min=1, help="Env steps per trial.")]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Seeds per config; all configs get the same ones.")]
SeedsRefused = Annotated[int, typer.Option("--seeds", hidden=True, help="Refused: a race chooses its seeds.")]
"""Of a race, which chooses seeds by itself: the flag is known, so that the command can say so."""
WithBase = Annotated[bool, typer.Option("--with-base", help="Add the base config, to compare the variants with.")]
Space = Annotated[
    list[str] | None,
    typer.Option(
        "--space",
        metavar="KEY=RANGE",
        help="Draw values of a key next to the one config given, such as ppo.ent_coef=log:1e-4..1e-1; may be given "
        "several times, and beside a search space.",
    ),
]
Sampler = Annotated[
    str | None, typer.Option("--sampler", help="How a search space is drawn: sobol (default), random or grid.")
]
Configs = Annotated[
    int | None, typer.Option("--configs", help="Configs of a search space, the base included (default 16).")
]
SpaceSeed = Annotated[int | None, typer.Option("--space-seed", help="Other seeds draw other configs (default 0).")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
Trust = Annotated[bool, typer.Option("--trust", help="Load an untrusted checkpoint (it may execute code).")]
SweepReference = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP",
        help="Name, id or start of the id of a sweep; `latest` is the newest.",
        autocompletion=completion.sweeps,
    ),
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", help="List only those with this tag; of several, with all of them.")
]
SweepOrRun = Annotated[
    str,
    typer.Argument(
        metavar="SWEEP|RUN",
        help="Sweep (name or id) or training run (id).",
        autocompletion=completion.sweeps_and_runs,
    ),
]
RunReference = Annotated[
    str,
    typer.Argument(metavar="RUN", help="Id of a training run, or its start.", autocompletion=completion.runs),
]
CpusPerTrial = Annotated[
    float | None,
    typer.Option("--cpus-per-trial", min=0.1, help="CPUs per trial (default 1), torch threads alike."),
]
GpusPerTrial = Annotated[
    float | None, typer.Option("--gpus-per-trial", min=0.0, help="GPUs per trial (default 0), fractions allowed.")
]
MaxConcurrent = Annotated[
    int | None, typer.Option("--max-concurrent", min=1, help="Most trials at a time (default: as many as fit).")
]
Autoscale = Annotated[bool, typer.Option("--autoscale", help="The cluster autoscales: skip the capacity check.")]
Address = Annotated[
    str | None,
    typer.Option("--address", help="Ray cluster: http://HEAD:8265, or auto on one of its nodes; local for none."),
]
LogAddress = Annotated[
    str | None, typer.Option("--address", help="The cluster's Jobs API, http://HEAD:8265 (default: the sweep's own).")
]
Detach = Annotated[bool, typer.Option("--detach", help="Hand the sweep to the service or the cluster, and exit.")]
Dashboard = Annotated[bool, typer.Option("--dashboard", help="Also start Ray's dashboard on 127.0.0.1:8265.")]
Grace = Annotated[
    float, typer.Option("--grace", min=0, help="Seconds a trial may take to end once it was asked to stop.")
]
Tolerance = Annotated[
    str | None,
    typer.Option(
        "--tolerance",
        metavar="NUMBER|PERCENT",
        help="Difference that does not matter: 0.03 in the objective's unit, or a percentage of the way from the start "
        "to the best config (default 10%).",
    ),
]
Confidence = Annotated[
    float | None,
    typer.Option("--confidence", help="Stop once the choice is right with this probability (default 0.95)."),
]
Cap = Annotated[
    str | None,
    typer.Option("--cap", metavar="SHARE", help="Most env steps, of those of all configs with 5 seeds (default 1/2)."),
]
MaxHours = Annotated[float | None, typer.Option("--max-hours", help="Begin no run after so many hours.")]
ObjectiveName = Annotated[
    str | None,
    typer.Option(
        "--objective",
        help="evaluation_reward (default), training_reward, win_rate, or episode_length (less is better).",
    ),
]
SchedulerName = Annotated[
    str | None,
    typer.Option("--scheduler", help="asha: the best share goes on from rung to rung; pbt: the worse copy the better."),
]
SchedulerRefused = Annotated[str | None, typer.Option("--scheduler", hidden=True, help="Refused: a race has its own.")]
"""Of a race, which decides by itself what is trained: the flag is known, so that the command can say so."""
Rungs = Annotated[
    int | None,
    typer.Option("--rungs", help="Of asha: at how many shares of the budget configs wait, the whole included (4)."),
]
Reduction = Annotated[
    int | None, typer.Option("--reduction", help="Of asha: the best 1/N go on from each rung, 1/N as far apart (3).")
]
Population = Annotated[int | None, typer.Option("--population", help="Of pbt: how many members train.")]
Interval = Annotated[int | None, typer.Option("--interval", help="Of pbt: env steps between two exploits.")]
OverSeeds = Annotated[
    str | None, typer.Option("--over-seeds", help="A config's score: mean (default) or median of its seeds.")
]
Games = Annotated[int, typer.Option("--games", help="Games of each pair, half of them on either seat.")]
Best = Annotated[
    bool, typer.Option("--best", help="One player a config: its run with the best score (default: every seed).")
]
Opponents = Annotated[
    list[str] | None,
    typer.Option("--opponent", help="Also plays: random, mcts or mcts:SIMULATIONS; may be given several times."),
]
Deterministic = Annotated[
    bool,
    typer.Option(
        "--deterministic",
        help="Policies play their most probable action, after random opening moves. By default they draw actions, as "
        "in training: two deterministic policies would repeat one game.",
    ),
]
Openings = Annotated[
    int | None,
    typer.Option(
        "--openings",
        min=0,
        help="Random moves at the start of a game (default 0, with --deterministic 4); each opening is played on both "
        "seats.",
    ),
]
TournamentSeed = Annotated[int, typer.Option("--seed", min=0, help="Other seeds play other games.")]
AgentConfig = Annotated[Path | None, typer.Option("--agent-config", metavar="PATH", help="The agent config to train.")]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="RUN|CHECKPOINT",
        autocompletion=completion.runs,
        help="Continue a run from its last checkpoint, or from the one named; with --agent-config a new run begins "
        "with the policy weights of the file.",
    ),
]
KeepSchedule = Annotated[
    bool,
    typer.Option(
        "--keep-schedule",
        help="With --resume and a larger budget: linear schedules end with the earlier budget and stay at 0; without "
        "the flag they run over the larger one.",
    ),
]
Threads = Annotated[int, typer.Option("--threads", min=1, help="Torch threads.")]
RunAddress = Annotated[
    str | None, typer.Option("--address", help="Ray cluster for backend: rllib, e.g. auto or 10.0.0.1:6379.")
]


def lowered(tags: list[str] | None) -> list[str]:
    """Tags as they are on record."""
    return [tag.lower() for tag in tags or ()]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hyperparameters:
    """Flags of `train` for the hyperparameters that are changed most; None where one was not given."""

    learning_rate: Annotated[str | None, typer.Option(help="A number, or linear_3.0e-4.")] = None
    gamma: Annotated[float | None, typer.Option(help="Discount factor.")] = None
    n_steps: Annotated[int | None, typer.Option(help="Env steps per rollout and environment.")] = None
    batch_size: Annotated[int | None, typer.Option(help="Minibatch size.")] = None
    n_epochs: Annotated[int | None, typer.Option(help="Epochs per update.")] = None
    ent_coef: Annotated[float | None, typer.Option(help="Entropy coefficient.")] = None
    clip_range: Annotated[str | None, typer.Option(help="PPO's clipping range; may be linear_0.2.")] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of environment, policy, torch and NumPy.")] = None
