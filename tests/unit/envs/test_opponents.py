import contextlib
import json
import pickle
import random
import shutil
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny import play_episode

from rlsweep.config.training import EnvironmentSpec
from rlsweep.envs import make_env
from rlsweep.envs.dense_policy import DensePolicy
from rlsweep.errors import EnvironmentSpecError
from rlsweep.runs import Outcome


def outcomes(spec: EnvironmentSpec, *, episodes: int) -> Counter[Outcome]:
    env, rng = make_env(spec, seed=0), random.Random(0)
    return Counter(play_episode(env, rng)[-1][-1]["outcome"] for _ in range(episodes))


def test_random_opponent_is_an_even_match() -> None:
    won = outcomes(EnvironmentSpec(id="open_spiel/tic_tac_toe"), episodes=600)
    assert abs(won[Outcome.WIN] - won[Outcome.LOSS]) < 100


def test_tree_search_beats_random_play() -> None:
    won = outcomes(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent="mcts:200"), episodes=60)
    assert won[Outcome.WIN] <= 2
    assert won[Outcome.LOSS] >= 45


def test_more_simulations_play_better() -> None:
    few, many = (
        outcomes(EnvironmentSpec(id="open_spiel/connect_four", opponent=f"mcts:{n}"), episodes=40)[Outcome.LOSS]
        for n in (2, 100)
    )
    assert few < many


def test_tree_search_draws_from_the_environments_seed() -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/connect_four", opponent="mcts:3"), seed=0)
    openings = [env.reset(seed=seed)[0].tolist() for seed in [*range(20), *range(20)]]
    assert openings[:20] == openings[20:]
    assert len({tuple(opening) for opening in openings}) > 3, "an empty board and at least three first moves"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A MaskablePPO policy that always takes the first legal square of tic_tac_toe."""
    import torch
    from sb3_contrib import MaskablePPO

    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)
    model = MaskablePPO("MlpPolicy", env, n_steps=64, seed=3, device="cpu", policy_kwargs={"net_arch": [8]})
    with torch.no_grad():
        model.policy.action_net.weight.zero_()
        model.policy.action_net.bias.copy_(torch.arange(9, 0, -1) * 200.0)
    path = tmp_path_factory.mktemp("opponent") / "first_square.zip"
    model.save(path)
    return path


def test_checkpoint_plays_its_policy(checkpoint: Path) -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(checkpoint)), seed=0)
    for _ in range(20):
        observation, _ = env.reset()
        seat = env.get_wrapper_attr("seat")
        # planes: empty, second player's stones, first player's
        its_stones = 1 + seat
        assert np.flatnonzero(observation.reshape(3, 9)[its_stones]).tolist() == [0][:seat]
        for move in (4, 8):
            observation, *_ = env.step(move)
        assert np.flatnonzero(observation.reshape(3, 9)[its_stones]).tolist() == [0, 1, 2][: 2 + seat]


def test_checkpoint_leaves_global_generators_alone(checkpoint: Path) -> None:
    import torch

    for draw in (torch.rand, np.random.random, lambda _: random.random()):
        draw(5)  # away from the seed of the checkpoint's own training
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(checkpoint)), seed=0)
    play_episode(env, random.Random(0))
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    assert (np.random.get_state()[1] == before[2]).all()


def test_checkpoint_is_sampled_by_its_probabilities(tmp_path: Path) -> None:
    import torch
    from sb3_contrib import MaskablePPO

    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe")
    model = MaskablePPO("MlpPolicy", make_env(spec, seed=0), n_steps=64, device="cpu", policy_kwargs={"net_arch": [8]})
    with torch.no_grad():
        model.policy.action_net.weight.zero_()
        model.policy.action_net.bias.zero_()
        model.policy.action_net.bias[5] = np.log(8.0)
    model.save(tmp_path / "p.zip")
    env = make_env(EnvironmentSpec(id=spec.id, opponent=str(tmp_path / "p.zip")), seed=0)
    first: Counter[int] = Counter()
    while first.total() < 400:
        observation, _ = env.reset()
        if env.get_wrapper_attr("seat") == 1:
            first[int(observation.reshape(3, 9)[2].argmax())] += 1
    assert 160 < first[5] < 240


def test_every_network_plays_as_the_one_that_was_saved(tmp_path: Path) -> None:
    import torch
    from sb3_contrib import MaskablePPO

    env: Any = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe"), seed=0)
    layers: list[Any] = [[8], {"pi": [5, 7], "vf": [4]}, {"pi": [], "vf": [3]}]
    for net_arch, activation in zip(layers, (torch.nn.ReLU, torch.nn.ELU, torch.nn.Tanh), strict=True):
        arguments = {"net_arch": net_arch, "activation_fn": activation}
        model = MaskablePPO("MlpPolicy", env, n_steps=64, device="cpu", policy_kwargs=arguments)
        with torch.no_grad():
            model.policy.action_net.weight.normal_()  # so that the layers before it tell
        model.save(tmp_path / "saved.zip")
        playing: Any = make_env(
            EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(tmp_path / "saved.zip")), seed=0
        )
        observation, _ = playing.reset()
        opponent = playing.unwrapped._opponent
        opponent.act(playing.unwrapped, random.Random(0))
        with torch.no_grad():
            theirs = model.policy.get_distribution(torch.as_tensor(observation)[None]).distribution.probs[0].numpy()
        assert shares_of(opponent._policy, observation) == pytest.approx(theirs, abs=2e-3)


def shares_of(policy: DensePolicy, seen: np.ndarray) -> np.ndarray:
    """How often each action is drawn by numbers that lie evenly between 0 and 1."""

    class Even(random.Random):
        def random(self) -> float:
            return next(numbers)

    numbers = iter(np.linspace(0, 1, 1000, endpoint=False).tolist())
    drawn = [policy.draw(seen, range(9), Even()) for _ in range(1000)]
    return np.bincount(drawn, minlength=9) / 1000


@pytest.fixture
def normalizer() -> Any:
    from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe")
    made = VecNormalize(DummyVecEnv([lambda: make_env(spec, seed=0)]), clip_obs=0.7)
    made.obs_rms.mean[:] = np.linspace(0, 0.5, 27)
    made.obs_rms.var[:] = np.linspace(0.5, 2, 27)
    return made


def with_statistics(checkpoint: Path, copied: Path, normalizer: Any, record: dict[str, Any]) -> Path:
    shutil.copy(checkpoint, copied)
    with zipfile.ZipFile(copied, "a") as archive:
        archive.writestr("vecnormalize.pkl", pickle.dumps(normalizer))
        archive.writestr("rlsweep.json", json.dumps(record))
    return copied


def test_checkpoints_normaliser_is_applied(checkpoint: Path, normalizer: Any, tmp_path: Path) -> None:
    from rlsweep.training.vector import observation_scale

    record = {"observations": observation_scale(normalizer)}
    path = with_statistics(checkpoint, tmp_path / "normalised.zip", normalizer, record)
    env: Any = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(path)), seed=0).unwrapped
    env.reset()
    env._opponent.act(env, random.Random(0))
    scale = env._opponent._policy.scale
    assert (scale(env.observation()) == normalizer.normalize_obs(env.observation())).all()


def test_a_normaliser_that_is_a_pickle_alone_is_refused(checkpoint: Path, normalizer: Any, tmp_path: Path) -> None:
    path = with_statistics(checkpoint, tmp_path / "older.zip", normalizer, {})
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(path)), seed=0)
    with pytest.raises(EnvironmentSpecError, match="stored only as a pickle, which could run code"):
        play_episode(env, random.Random(0))


@pytest.mark.parametrize("members", [("data", "vecnormalize.pkl", "boundary.pkl"), ("policy.pth",)])
def test_nothing_in_a_poisoned_checkpoint_runs(checkpoint: Path, tmp_path: Path, poison: Any, members: Any) -> None:
    from sb3_contrib import MaskablePPO

    marker = tmp_path / "created"
    evil = poison(checkpoint, tmp_path / "evil.zip", marker, *members)
    env = make_env(EnvironmentSpec(id="open_spiel/tic_tac_toe", opponent=str(evil)), seed=0)
    with pytest.raises(EnvironmentSpecError, match="cannot be loaded as a MaskablePPO policy"):
        play_episode(env, random.Random(0))
    assert not marker.exists()
    if "data" in members:
        with contextlib.suppress(Exception):
            MaskablePPO.load(evil)
        assert marker.exists(), "the poison works"


def test_checkpoint_of_another_game_is_refused(checkpoint: Path) -> None:
    env = make_env(EnvironmentSpec(id="open_spiel/connect_four", opponent=str(checkpoint)), seed=0)
    with pytest.raises(EnvironmentSpecError, match=r"shape \(27,\) and 9 actions, but this environment has \(126,\)"):
        play_episode(env, random.Random(0))


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.zip"
    path.write_bytes(b"no zip")
    env = make_env(EnvironmentSpec(id="open_spiel/connect_four", opponent=str(path)), seed=0)
    with pytest.raises(EnvironmentSpecError, match=r"broken\.zip cannot be loaded"):
        play_episode(env, random.Random(0))
