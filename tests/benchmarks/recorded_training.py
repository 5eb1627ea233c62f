"""Training that is recorded, and training that is not, in alternation in one process. Arguments: env steps, rounds.

Prints JSON: the seconds of every round of each. Both keep their records in memory; one also commits them to PostgreSQL.
"""

import json
import sys
import tempfile
import threading
import time
from pathlib import Path

from rlsweep.attempts.recorder import StoreRecorder
from rlsweep.attempts.spool import Spool
from rlsweep.config.agent import AgentConfig
from rlsweep.config.run import Budget, Mode, RunConfig
from rlsweep.config.training import EvaluationConfig, TrainingConfig
from rlsweep.runs import NewRun
from rlsweep.settings import Settings
from rlsweep.store import transitions
from rlsweep.store.database import Database
from rlsweep.store.opening import open_database
from rlsweep.training.recorder import Recorder
from rlsweep.training.train import train
from tests.list_recorder import ListRecorder


def config_of(steps: int) -> RunConfig:
    return RunConfig(
        agent=AgentConfig(agent_id="bench", name="Bench", algorithm="MaskablePPO", version=1),
        training=TrainingConfig(evaluation=EvaluationConfig(enabled=False), checkpoint_interval_episodes=10**6),
        mode=Mode.FULL,
        budget=Budget(total_timesteps=steps),
        seed=0,
    )


def seconds_with(recorder: Recorder, config: RunConfig) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        train(config, recorder, checkpoint_folder=Path(folder), tensorboard_folder=None)
        return time.perf_counter() - began


def recorded(database: Database, config: RunConfig, spool: Path) -> float:
    planned = NewRun(
        trial_key=None, agent_id="bench", algorithm="MaskablePPO", version=1, sweep_variant=None, config_name="Bench",
        config_short_name="bench_v1", config_path="bench_v1.yaml", config=config.to_record(), config_hash="", seed=0,
    )  # fmt: skip
    run = transitions.begin_attempt(database, transitions.create_single(database, planned).id, {})
    assert run is not None
    recorder = StoreRecorder(
        database, run, on_record=(), spool=Spool(spool, run.id, 1), stop=threading.Event(), stop_elsewhere=lambda: False
    )
    with recorder:
        return seconds_with(recorder, config)


def main() -> None:
    steps, rounds = int(sys.argv[1]), int(sys.argv[2])
    config = config_of(steps)
    seconds: dict[str, list[float]] = {"recorded": [], "not recorded": []}
    with tempfile.TemporaryDirectory(prefix="rlsweep-bench-") as name:
        home = Path(name)
        with open_database(Settings(home=home, storage=home, database_url=None)) as database:
            for _ in range(rounds + 1):
                seconds["recorded"].append(recorded(database, config, home / "spool"))
                seconds["not recorded"].append(seconds_with(ListRecorder(), config))
    print(json.dumps({name: values[1:] for name, values in seconds.items()}))


main()
