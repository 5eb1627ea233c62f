"""Tune's thread when a second Ctrl-C ends the command: it must be out of Ray before Ray ends."""

import pytest

from rlsweep.driver.tune import LiveTrials


def test_an_abandoned_fit_leaves_tunes_loop_after_the_step_and_without_its_clean_up() -> None:
    trials = LiveTrials()
    trials.on_step_end(1, [])
    trials.abandon()
    with pytest.raises(SystemExit):  # Tune cleans up after an Exception
        trials.on_step_end(2, [])
