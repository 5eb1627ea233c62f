from typing import Any

import pytest
import ray

from rlsweep.cluster import session as session_module
from rlsweep.cluster.resources import Resources
from rlsweep.cluster.session import RayOptions, RaySession
from rlsweep.errors import ClusterUnavailableError


@pytest.mark.parametrize("nodes", [[], [{"Alive": False, "Resources": {}}]])
def test_a_ray_that_went_down_is_not_one_without_cpus(nodes: list[dict[str, Any]], monkeypatch: Any) -> None:
    monkeypatch.setattr(ray, "nodes", lambda: nodes)
    with pytest.raises(ClusterUnavailableError, match="Ray went down"):
        RaySession(RayOptions()).slots(Resources())


def test_first_workers_are_waited_for_once_and_not_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    """They end with their actors: then there are none, and trials still may begin."""
    loaded, now = [0], [0.0]
    monkeypatch.setattr(session_module, "preloaded_workers", lambda: loaded[0])
    monkeypatch.setattr(session_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(RaySession, "prestart_workers", lambda _: 2)
    monkeypatch.setattr(session_module, "start_local", lambda *_, **__: None)
    session = RaySession(RayOptions())
    assert session.has_workers(), "none was started"
    session._start("unused")
    asked = []
    for loaded[0] in (0, 1, 2, 0):
        asked.append(session.has_workers())
    assert asked == [False, False, True, True]
    session._start("unused")
    assert not session.has_workers()
    now[0] = session_module.PRELOAD_SECONDS
    assert session.has_workers(), "a driver waits no longer"
