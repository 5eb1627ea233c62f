"""The process that compiles the loops computes the same bits as those that load them from disk after it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

COMPUTE = """
import numpy as np
from rlsweep.training.fast.categorical_loops import differentiate, sample_actions

B, H, A, LEGAL = 256, 64, 1000, 97
rng = np.random.default_rng(0)
random = lambda *shape: rng.standard_normal(shape).astype(np.float32)
latent, values, transitions = random(B, H), random(B), random(4, B)
weight, bias = random(A, H) / 100, random(A, 1) / 100
legal = np.concatenate([rng.choice(A, LEGAL, replace=False) for _ in range(B)]).astype(np.int32)
starts = np.arange(0, B * LEGAL + 1, LEGAL)
settings = np.array([0.2, np.inf, 1, 0.01, 0.5], np.float32)
taken, log_probs = np.empty((B, 1), np.int64), np.empty(B, np.float32)
sample_actions(latent, weight, bias[:, 0].copy(), legal, starts, rng.random((B, 1)), taken, log_probs)
ints = lambda size: np.zeros(size, np.int32)
floats = lambda *shape: np.zeros(shape, np.float32)
E = B * LEGAL
scratch = ints(E), ints(B + 1), floats(E), ints(A)
written = ints(A), floats(A, H), floats(A, 1), floats(B, H), floats(B), np.zeros(5)
inputs = latent, values, weight, bias, legal, starts, np.arange(B), taken, transitions, settings
differentiate(*inputs, *scratch, *written)
print(b"".join(array.tobytes() for array in (taken, log_probs, *written)).hex())
"""


def test_a_process_that_compiles_computes_what_a_later_one_does(tmp_path: Path) -> None:
    environ = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path), "OMP_NUM_THREADS": "1"}
    printed = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", COMPUTE], env=environ, capture_output=True, text=True, check=True, timeout=300
        )
        printed.append(done.stdout)
        assert list(tmp_path.rglob("*.nbc")), "the loops are kept on disk"
    assert printed[0] == printed[1]
