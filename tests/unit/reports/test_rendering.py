from rlsweep.analysis.intervals import estimate
from rlsweep.analysis.slices import slices
from rlsweep.reports.layout import wrapped
from rlsweep.reports.rendering import together, with_interval


def test_intervals_say_what_they_are():
    assert with_interval(estimate([0.3, 0.4, 0.5])) == "0.40 ± 0.25 (95% interval over 3 seeds, Student t)"
    assert with_interval(estimate([0.4])) == "0.40 (one seed: no interval)"
    many = with_interval(estimate([0.1 * place for place in range(10)]))
    assert many.startswith("0.45, 0.")
    assert many.endswith("(95% interval over 10 seeds, percentile bootstrap)")


def test_wrapped_lines_hang_under_the_text_and_break_no_word():
    lines = wrapped("a reason with its figures /a/path/that-is-longer/than-the-line.yaml and more", "    - ", 40)
    assert lines[0] == "    - a reason with its figures"
    assert all(line.startswith("      ") for line in lines[1:])
    assert any("/a/path/that-is-longer/than-the-line.yaml" in line for line in lines)
    assert wrapped("", "", 80) == [""]


def test_keys_that_change_together_are_named_once():
    pair = {"lr": [1, 2, 3, 3], "n_steps": [8, 16, 32, 32], "gamma": [0.9, 0.9, 0.9, 0.99]}
    assert list(together(slices(pair))) == [
        "lr and n_steps change only together: the scores cannot tell their effects apart.",
    ]
    nested = {"lr": [1, 1, 2, 2], "n_steps": [8, 16, 32, 32], "gamma": [0.9, 0.9, 0.9, 0.99]}
    assert list(together(slices(nested))) == [
        "lr changes only together with n_steps: the scores cannot tell their effects apart.",
    ]
    assert list(together(slices({"lr": [1, 2, 1, 2], "gamma": [0.9, 0.9, 0.99, 0.99]}))) == []
