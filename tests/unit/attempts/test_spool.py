"""Spool files of earlier versions can be sent."""

import json
from pathlib import Path
from uuid import uuid4

from rlsweep.attempts.spool import Spool
from rlsweep.runs import Update
from rlsweep.store.recording import Batch, Progress

UPDATE = Update(
    update=1, env_steps=64, policy_loss=-0.1, value_loss=0.2, entropy=0.6, approx_kl=0.01, clip_fraction=0.1,
    explained_variance=0.4, gradient_steps=8, learning_rate=1e-3, steps_per_second=100.0,
)  # fmt: skip


def test_updates_of_a_file_without_gradient_steps_are_read(tmp_path: Path) -> None:
    spool = Spool(tmp_path, uuid4(), 1)
    spool.keep(Batch(progress=Progress(episodes=0, updates=1, env_steps=64), updates=[UPDATE]))
    assert [update.gradient_steps for batch in spool.batches() for update in batch.updates] == [8]
    record = json.loads(spool.path.read_text())
    del record["updates"][0]["gradient_steps"]
    spool.path.write_text(json.dumps(record) + "\n")
    assert [update.gradient_steps for batch in spool.batches() for update in batch.updates] == [None]
