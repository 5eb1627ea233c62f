import pytest

from rlsweep.cluster.resources import Resources
from rlsweep.errors import InputError

NODES = [{"CPU": 4.0}, {"CPU": 3.0, "GPU": 2.0}]


@pytest.mark.parametrize(
    ("asked", "slots"),
    [
        ({}, 7),
        ({"cpus_per_trial": 2.0}, 3),  # one CPU of the second node is left over
        ({"cpus_per_trial": 0.3}, 23),
        ({"gpus_per_trial": 0.5}, 3),
        ({"gpus_per_trial": 2.0}, 1),
        ({"max_concurrent": 2}, 2),
        ({"max_concurrent": 100}, 7),
    ],
)
def test_trials_are_packed_on_nodes_as_they_are(asked: dict[str, float], slots: int) -> None:
    assert Resources(**asked).slots(NODES) == slots


def test_what_no_node_can_hold_is_an_error_at_once() -> None:
    with pytest.raises(
        InputError, match=r"with CPU 1, GPU 4; the largest values of any node are CPU 4, GPU 2\..*--autoscale"
    ):
        Resources(gpus_per_trial=4.0).slots(NODES)
    with pytest.raises(InputError, match="the largest values of any node are CPU 0"):
        Resources().slots([])


def test_an_autoscaler_is_asked_for_nodes_that_are_not_there() -> None:
    assert Resources(gpus_per_trial=4.0, max_concurrent=16, autoscale=True).slots(NODES) == 16
    assert Resources(gpus_per_trial=4.0, autoscale=True).slots([]) == 1_000


def test_a_record_gives_the_same_back() -> None:
    resources = Resources(cpus_per_trial=2.5, gpus_per_trial=0.5, max_concurrent=3, autoscale=True)
    assert Resources.from_record(resources.to_record()) == resources
    assert (resources.threads, resources.bundle) == (2, {"CPU": 2.5, "GPU": 0.5})
