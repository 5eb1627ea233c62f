from rlsweep.config.differences import labels


def test_a_name_of_its_own_is_enough() -> None:
    assert labels(["one", "two"], ["a.yaml", "a.yaml"], ["1", "2"]) == ("one", "two")


def test_names_that_are_shared_come_with_what_tells_them_apart() -> None:
    names, files, hashes = ["x"] * 4 + ["y"], ["a", "b", "b", "c", "a"], ["1" * 64, "2" * 64, "3" * 64, "2" * 64, "1"]
    found = labels(names, files, hashes)
    assert found == ("x (a)", "x (b, 2222222)", "x (b, 3333333)", "x (c)", "y")
    assert len(set(found)) == len(found)
    assert labels(["x", "x"], ["a", "a"], ["1", "2"]) == ("x (1)", "x (2)")
