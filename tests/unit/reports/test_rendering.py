from rlsweep.analysis.intervals import estimate
from rlsweep.reports.layout import wrapped
from rlsweep.reports.rendering import with_interval


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
