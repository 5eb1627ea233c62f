import numpy as np
import pytest
from scipy import stats

from rlsweep.deciding.confirm import confirm, welch_p_value

PICK = (0.80, 0.82, 0.79, 0.81, 0.83)


def test_the_estimate_is_that_of_held_out_seeds():
    found = confirm(PICK, [])
    low, high = stats.t.interval(0.95, 4, loc=np.mean(PICK), scale=stats.sem(PICK))
    assert (found.estimate, found.low, found.high) == pytest.approx((np.mean(PICK), low, high))
    assert found.is_winner


def test_p_values_are_those_of_welch_and_holm():
    rivals = [(0.78, 0.80, 0.79, 0.77, 0.82), (0.70, 0.72, 0.71, 0.69, 0.75)]
    raw = [stats.ttest_ind(PICK, rival, equal_var=False, alternative="greater").pvalue for rival in rivals]
    assert [welch_p_value(PICK, rival) for rival in rivals] == pytest.approx(raw)
    found = confirm(PICK, rivals)
    assert [rival.p_value for rival in found.rivals] == pytest.approx([raw[0], 2 * raw[1]])
    assert not found.is_winner


def test_a_winner_is_told_from_every_rival():
    rival = (0.70, 0.72, 0.71, 0.69, 0.75)
    assert confirm(PICK, [rival, rival]).is_winner
    assert not confirm(PICK, [rival, PICK]).is_winner
    assert not confirm(PICK, [rival], has_more_contenders=True).is_winner
    assert not confirm(PICK, [rival] * 4).is_winner


def test_equal_scores_divide_by_no_zero():
    found = confirm((0.5, 0.5), [(0.5, 0.5)])
    assert (found.low, found.high, found.is_winner) == (0.5, 0.5, False)
    assert confirm((0.5, 0.5), [(0.4, 0.4)]).is_winner
