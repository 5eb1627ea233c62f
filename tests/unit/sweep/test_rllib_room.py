from pathlib import Path

import pytest

from rlsweep.config.training import RLlibConfig, TrainingConfig
from rlsweep.errors import ClusterUnavailableError, InputError
from rlsweep.settings import Settings
from rlsweep.sweep.rllib.session import check_room, ray_for_run

TWO_NODES = [{"CPU": 2.0, "GPU": 1.0, "memory": 1e9}, {"CPU": 1.5}]


def test_processes_that_fit_on_nodes() -> None:
    check_room(TrainingConfig(rllib=RLlibConfig(env_runners=2, learners=1)), TWO_NODES)
    check_room(TrainingConfig(rllib=RLlibConfig(env_runners=3, learners=2, gpus_per_learner=0.5)), TWO_NODES)


@pytest.mark.parametrize(
    ("spread", "said"),
    [
        (RLlibConfig(env_runners=3, learners=1), "ask for 4 × CPU 1, and Ray has room for 3: lower rllib.env_runners"),
        (RLlibConfig(learners=3, gpus_per_learner=0.5), "ask for 3 × GPU 0.5, and Ray has room for 2: lower "),
        (RLlibConfig(learners=1, gpus_per_learner=2.0), "ask for 1 × GPU 2, and Ray has room for 0: lower "),
    ],
)
def test_processes_that_would_wait_for_ever(spread: RLlibConfig, said: str) -> None:
    with pytest.raises(ClusterUnavailableError) as caught:
        check_room(TrainingConfig(rllib=spread), TWO_NODES)
    assert said in str(caught.value)


def test_an_address_is_for_rllib_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, storage=tmp_path, database_url=None)
    to_no_avail = ray_for_run(TrainingConfig(), address="auto", settings=settings)
    with pytest.raises(InputError, match="--address auto is for runs with backend: rllib"), to_no_avail:
        raise AssertionError
    with ray_for_run(TrainingConfig(), address=None, settings=settings):
        pass
