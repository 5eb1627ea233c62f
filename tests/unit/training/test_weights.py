"""Weights come out of files that nobody vouches for, and nothing else does."""

from pathlib import Path

import pytest
import torch
from sb3_contrib import MaskablePPO
from stable_baselines3.common.vec_env import DummyVecEnv

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.errors import CheckpointError, UntrustedFileError
from rlsweep.runs import RunStatus
from rlsweep.training.evaluate import evaluate
from rlsweep.training.train import train
from rlsweep.training.weights import load_player
from tests.list_recorder import ListRecorder

CARTPOLE = EnvironmentSpec(id="CartPole-v1")


@pytest.fixture
def stock(tmp_path: Path) -> Path:
    """A zip that stock SB3 wrote, of the network that `make_config` asks for."""
    env = DummyVecEnv([lambda: make_env(CARTPOLE, seed=0)])
    model = MaskablePPO("MlpPolicy", env, n_steps=8, batch_size=8, seed=1, policy_kwargs={"net_arch": [8]})
    model.save(tmp_path / "stock.zip")
    return tmp_path / "stock.zip"


def weights_of(path: Path) -> dict[str, torch.Tensor]:
    return dict(MaskablePPO.load(path).policy.state_dict())


def test_a_new_run_begins_with_the_weights_of_a_stock_file(make_config, tmp_path: Path, stock: Path):
    config = make_config(total_timesteps=64, agent={"learning_rate": 1e-12})
    recorder = ListRecorder()
    result = train(config, recorder, checkpoint_folder=tmp_path / "run", tensorboard_folder=None, weights_from=stock)
    assert (result.status, result.env_steps) == (RunStatus.COMPLETED, 64)
    before, after = weights_of(stock), weights_of(Path(result.checkpoint.uri))
    assert all(torch.allclose(before[name], after[name], atol=1e-8) for name in before)
    # it can be gone on with although nothing was learnt yet and the file is gone
    start = tmp_path / "run" / "episode_0_step_0.zip"
    assert all(torch.equal(before[name], tensor) for name, tensor in weights_of(start).items())
    stock.unlink()
    again = train(
        config, ListRecorder(), checkpoint_folder=tmp_path / "again", tensorboard_folder=None, resume_from=start
    )
    assert again.env_steps == 64


def test_another_network_is_one_sentence(make_config, stock: Path):
    config = make_config(total_timesteps=64, agent={"network": {"net_arch": [9]}})
    with pytest.raises(CheckpointError) as refused:
        load_player(stock, config, make_env(CARTPOLE, seed=0))
    assert str(refused.value) == (
        f"The policy in {stock} does not fit environment 'CartPole-v1' and "
        "config test_agent_v1: mlp_extractor.policy_net.0.weight is 8×4 in the file and 9×4 here."
    )


def test_the_payload_would_work(stock: Path, tmp_path: Path, poison):
    marker = tmp_path / "created"
    with pytest.raises(Exception):  # noqa: B017, PT011 - what stock SB3 makes of it afterwards is its own affair
        MaskablePPO.load(poison(stock, tmp_path / "evil.zip", marker, "data"))
    assert marker.exists()


def test_beginning_with_weights_unpickles_nothing(make_config, tmp_path: Path, stock: Path, poison):
    marker = tmp_path / "created"
    config = make_config(total_timesteps=32)
    evil = poison(stock, tmp_path / "evil.zip", marker, "data", "vecnormalize.pkl", "boundary.pkl")
    train(config, ListRecorder(), checkpoint_folder=tmp_path / "run", tensorboard_folder=None, weights_from=evil)
    worse = poison(stock, tmp_path / "worse.zip", marker, "policy.pth")
    with pytest.raises(CheckpointError, match="cannot be read as weights alone"):
        load_player(worse, config, make_env(CARTPOLE, seed=0))
    assert not marker.exists()


def test_playing_unpickles_nothing(make_config, run, tmp_path: Path, poison):
    marker = tmp_path / "created"
    result, _ = run(make_config(total_timesteps=32))
    sound = Path(result.checkpoint.uri)
    evil = poison(sound, tmp_path / "evil.zip", marker, "data", "boundary.pkl")
    assert evaluate(evil, episodes=2) == evaluate(sound, episodes=2)
    evil = poison(sound, tmp_path / "evil.zip", marker, "vecnormalize.pkl")
    with pytest.raises(UntrustedFileError, match="add --trust"):
        evaluate(evil, episodes=2)
    assert not marker.exists()


def test_files_that_hold_no_policy_are_refused(make_config, tmp_path: Path):
    torn = tmp_path / "torn.zip"
    torn.write_bytes(b"PK not really")
    for path, reason in ((torn, "cannot be read"), (tmp_path / "absent.zip", "Checkpoint not found:")):
        with pytest.raises(CheckpointError, match=reason):
            load_player(path, make_config(total_timesteps=32), make_env(CARTPOLE, seed=0))
