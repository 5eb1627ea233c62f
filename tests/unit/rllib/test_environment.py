"""The environment of an env runner is the one that SB3 trains in, with its masks beside the observation."""

import numpy as np

from rlsweep.config.training import EnvironmentSpec, WrapperSpec
from rlsweep.envs import make_env
from rlsweep.rllib.environment import ACTION_MASK, OBSERVATIONS, Observed


def test_wrapped_and_stacked_as_for_sb3() -> None:
    clipped = WrapperSpec(id="gymnasium.wrappers:ClipReward", kwargs={"max_reward": 0.5})
    spec = EnvironmentSpec(id="open_spiel/tic_tac_toe", wrappers=(clipped,), frame_stack=3)
    env, like = Observed(make_env(spec, seed=5), uses_masks=True), make_env(spec, seed=5)
    for _ in range(3):
        seen, _ = env.reset()
        observation, _ = like.reset()
        assert seen[OBSERVATIONS].shape == (81,)
        done = False
        while not done:
            np.testing.assert_array_equal(seen[OBSERVATIONS], observation)
            mask = like.get_wrapper_attr("action_masks")()
            np.testing.assert_array_equal(seen[ACTION_MASK], mask)
            action = np.int64(mask.argmax())
            seen, reward, terminated, truncated, _ = env.step(action)
            observation, expected, *_ = like.step(action)
            assert reward == expected <= 0.5
            done = terminated or truncated
