"""A notebook, run cell by cell in a kernel: from two configs to a policy that plays."""

import os
import signal
import threading
import time
from contextlib import suppress

import nbformat
import pytest
from nbclient import NotebookClient

from rlsweep.errors import NotFoundError
from rlsweep.store import sweeps, training_runs

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.xdist_group("ray head")]

ENVIRONMENT = """
import gymnasium

class Corridor(gymnasium.Env):
    '''Four fields; the way out is to the right.'''
    observation_space = gymnasium.spaces.Box(0, 1, (4,))
    action_space = gymnasium.spaces.Discrete(2)

    def _seen(self):
        seen = self.observation_space.low.copy()
        seen[self.place] = 1
        return seen

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.place, self.steps = 0, 0
        return self._seen(), {}

    def step(self, action):
        self.steps += 1
        self.place = min(3, max(0, self.place + (1 if action else -1)))
        return self._seen(), float(self.place == 3), self.place == 3, self.steps == 20, {}
"""

CELLS = {
    "submit": """
import rlsweep
from corridor import Corridor

slow = {"agent_id": "walker", "name": "Walker", "algorithm": "MaskablePPO", "version": 1,
        "n_steps": 64, "batch_size": 32, "network": {"net_arch": [8]}, "learning_rate": 1e-7}
fast = {**slow, "name": "Walker, fast", "sweep_variant": "fast", "learning_rate": 0.01}
sweep = rlsweep.submit([slow, fast], environment=Corridor, total_timesteps=640, name="walkers")
sweep
""",
    "episodes": """
episodes = sweep.episodes().to_pandas()
late = episodes[episodes.env_steps > 320].groupby("config_short_name").length.mean()
assert late["walker_fast"] < late["walker_v1"]
list(episodes.columns), sorted(set(episodes.config_short_name))
""",
    "train": """
best = rlsweep.run(sweep.report().configs[0].seeds[0].run_id)
trained = rlsweep.train(best, weights_from=best, total_timesteps=640)
trained.label, trained.status.value
""",
    "play": """
from sb3_contrib.common.maskable.utils import get_action_masks

model = rlsweep.load_policy(trained)
env = model.get_env()
observation, steps, done = env.reset(), 0, [False]
while not done[0]:
    action, _ = model.predict(observation, action_masks=get_action_masks(env), deterministic=True)
    observation, reward, done, _ = env.step(action)
    steps += 1
steps, float(reward[0])
""",
    "interrupted": """
rlsweep.submit(slow, environment=Corridor, total_timesteps=10**8, name="long")
""",
    "afterwards": """
long = rlsweep.sweep("long")
long.status.value, long.episodes().num_rows > 0
""",
    "mistake": """
class Here(Corridor):
    pass

try:
    rlsweep.submit([fast], environment=Here)
except rlsweep.errors.InputError as error:
    print(error)
""",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("notebook")
    (made / "corridor.py").write_text(ENVIRONMENT)
    return made


def test_a_notebook_from_two_dicts_to_a_policy_that_plays(folder, database, ray_head, monkeypatch):
    for name, value in ray_head.items():  # test_driving.py starts one Ray after the other in a process
        monkeypatch.setenv(name, value)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source.strip()) for source in CELLS.values()])
    notebook.cells[list(CELLS).index("interrupted")].metadata["tags"] = ["raises-exception"]
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(folder)}})
    threading.Thread(target=interrupt_while_it_trains, args=[client, database, "long"], daemon=True).start()
    client.execute()
    outputs = dict(zip(CELLS, (cell["outputs"] for cell in notebook.cells), strict=True))

    assert "<Sweep walkers (" in result(outputs["submit"])
    (progress,) = [each for each in outputs["submit"] if each["output_type"] == "display_data"]
    assert "walker_fast seed 0" in progress["data"]["text/plain"]
    assert "2 of 2 trials done, 100%" in progress["data"]["text/plain"]  # updated in place until the end
    assert "Sweep walkers: completed." in streamed(outputs["submit"])
    assert "'reward'" in result(outputs["episodes"])
    assert "['walker_fast', 'walker_v1']" in result(outputs["episodes"])
    assert result(outputs["train"]) == "('walker_fast seed 0', 'completed')"
    assert result(outputs["play"]) == "(3, 1.0)"
    assert "Stopping: trials end at their next step" in streamed(outputs["interrupted"])
    assert [each["ename"] for each in outputs["interrupted"] if each["output_type"] == "error"] == ["KeyboardInterrupt"]
    assert result(outputs["afterwards"]) == "('stopped', True)"
    assert "class Here is defined in a notebook or script" in streamed(outputs["mistake"])
    assert "write it to a file such as my_env.py" in streamed(outputs["mistake"])


def interrupt_while_it_trains(client, database, name):
    """Do what a notebook's stop button does."""
    while True:
        time.sleep(0.2)
        with suppress(NotFoundError):
            runs = training_runs.of_sweep(database, sweeps.get(database, name).id)
            if any(run.episodes for run in runs):
                return os.kill(client.km.provisioner.pid, signal.SIGINT)


def result(outputs):
    (found,) = [each for each in outputs if each["output_type"] == "execute_result"]
    return found["data"]["text/plain"]


def streamed(outputs):
    return "".join(each["text"] for each in outputs if each["output_type"] == "stream" and each["name"] == "stdout")
