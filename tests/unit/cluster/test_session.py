from typing import Any

import pytest
import ray

from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.errors import ClusterUnavailableError


@pytest.mark.parametrize("nodes", [[], [{"Alive": False, "Resources": {}}]])
def test_a_ray_that_went_down_is_not_one_without_cpus(nodes: list[dict[str, Any]], monkeypatch: Any) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    with pytest.raises(ClusterUnavailableError, match="Ray went down"):
        RaySession(RayOptions()).slots(Resources())
