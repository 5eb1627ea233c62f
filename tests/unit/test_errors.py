from rlsweep.errors import ConfigError


def test_a_problem_is_one_line_that_a_terminal_can_show() -> None:
    error = ConfigError("a.yaml: got '\x1b[2J\r\n\u202eb\udcff'", "two")
    assert error.problems == ("a.yaml: got '\\x1b[2J \\u202eb\\udcff'", "two")
    assert str(error) == "a.yaml: got '\\x1b[2J \\u202eb\\udcff'\ntwo"


def test_a_long_problem_keeps_its_beginning_and_its_end() -> None:
    (problem,) = ConfigError("a.yaml: got '" + "x" * 10**6 + "'; write less").problems
    assert problem.startswith("a.yaml: got 'xxx")
    assert problem.endswith("xxx'; write less")
    assert len(problem) == 1003
    assert ConfigError("é" * 1000).problems == ("é" * 1000,)
