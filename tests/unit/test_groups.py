import pytest

pytestmark = pytest.mark.xdist_group("groups")


def test_a_group_of_tests_stays_on_one_worker(request: pytest.FixtureRequest) -> None:
    """Where pytest and pytest-xdist do not fit together, each worker sets up what a group shares, and says nothing."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("not handed out with --dist loadgroup")
    assert request.node.nodeid.endswith("@groups")
