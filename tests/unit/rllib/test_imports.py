from unittest.mock import patch

import pytest

from rlsweep.config.training import RLlibConfig, TrainingConfig
from rlsweep.errors import InputError
from rlsweep.rllib.session import check_room, ray_for_run

TWO_NODES = [{"CPU": 2.0, "GPU": 1.0, "memory": 1e9}, {"CPU": 1.5}]


def test_processes_that_fit_on_nodes() -> None:
    check_room(TrainingConfig(rllib=RLlibConfig(env_runners=2, learners=1)), TWO_NODES)
    check_room(TrainingConfig(rllib=RLlibConfig(env_runners=3, learners=2, gpus_per_learner=0.5)), TWO_NODES)


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        (RLlibConfig(env_runners=3, learners=1), "request 4 × CPU 1, but Ray has room for 3. Lower rllib.env_runners"),
        (RLlibConfig(learners=3, gpus_per_learner=0.5), "request 3 × GPU 0.5, but Ray has room for 2. Lower "),
        (RLlibConfig(learners=1, gpus_per_learner=2.0), "request 1 × GPU 2, but Ray has room for 0. Lower "),
    ],
)
def test_processes_that_would_wait_for_ever(spread: RLlibConfig, said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_room(TrainingConfig(rllib=spread), TWO_NODES)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("spread", "cpus"),
    [
        (RLlibConfig(env_runners=1), 1),
        (RLlibConfig(env_runners=2, learners=2), 4),
        (RLlibConfig(env_runners=2, learners=1, gpus_per_learner=0.5), 2),
    ],
)
def test_a_local_ray_starts_a_worker_for_each_process_and_no_other(spread: RLlibConfig, cpus: int) -> None:
    with patch("rlsweep.rllib.session.RaySession") as session:
        session.return_value.__enter__.return_value.nodes.return_value = [{"CPU": 4.0, "GPU": 1.0}]
        with ray_for_run(TrainingConfig(backend="rllib", rllib=spread), address=None):
            (options,) = session.call_args.args
    assert options.cpus == cpus


def test_an_address_is_for_rllib_alone() -> None:
    to_no_avail = ray_for_run(TrainingConfig(), address="auto")
    with pytest.raises(InputError, match="--address auto needs backend: rllib"), to_no_avail:
        raise AssertionError
    with ray_for_run(TrainingConfig(), address=None):
        pass


def test_a_single_run_is_driven_where_the_cluster_is() -> None:
    to_no_avail = ray_for_run(TrainingConfig(backend="rllib"), address="http://head:8265")
    with (
        pytest.raises(InputError, match="rlsweep train must run on a node of the cluster"),
        to_no_avail,
    ):
        raise AssertionError
