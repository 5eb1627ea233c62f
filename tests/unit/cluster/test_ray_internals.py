"""Every name of Ray's that we use and that is not public is there, with the shape that we use it in."""

import importlib
import inspect
import logging
import mmap
import os
import re
import sys
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial

from rlsweep.cluster import prestart, ray_internals, tune_internals

CALLS = {
    "ray:init": ({"address": "local", "_temp_dir": "/tmp/x"},),
    "ray._private.utils:get_num_cpus": ({},),
    "ray._private.worker:print_to_stdstream": ({"data": {}, "ignore_prefix": False},),
    "ray._private.grpc_utils:init_grpc_channel": ("10.0.0.1:6379",),
    "ray._private.authentication.http_token_authentication:get_auth_headers_if_auth_enabled": ({"user_headers": {}},),
    "ray._private.state:actors": ("a1",),
    "ray.experimental.internal_kv:_internal_kv_put": (b"key", b"1", {"namespace": b"rlsweep"}),
    "ray.experimental.internal_kv:_internal_kv_del": (b"key", {"namespace": b"rlsweep"}),
    "ray.experimental.internal_kv:_internal_kv_get": (b"key", {"namespace": b"rlsweep"}),
    "ray.experimental.internal_kv:_internal_kv_list": (b"key", {"namespace": b"rlsweep"}),
    "ray._private.state:workers": ({},),
    "ray._private.worker:Worker.main_loop": (None, {}),
    "ray.dashboard.modules.dashboard_sdk:SubmissionClient._do_request": (None, "GET", "/api/version", {"timeout": 1.0}),
}
"""How each function is called: positional arguments, keywords last in a dict."""

MESSAGES = {
    "ray.core.generated.gcs_service_pb2:GetClusterIdRequest": (),
    "ray.core.generated.node_manager_pb2:PrestartWorkersRequest": (
        "language",
        "num_workers",
        "keep_alive_duration_secs",
    ),
}
"""The fields of each protobuf message."""

SERVICES = {
    "ray.core.generated.gcs_service_pb2_grpc:NodeInfoGcsServiceStub": "GetClusterId",
    "ray.core.generated.node_manager_pb2_grpc:NodeManagerServiceStub": "PrestartWorkers",
}
"""The method of each gRPC service."""

CONTROLLER = {
    "_stopped_trials": set,
    "_failed_trials": set,
    "_live_trials": set,
    "_staged_trials": set,
    "_trials_to_cache": set,
    "_trials": list,
    "_trial_to_actor": dict,
    "_trial_metadata": dict,
}
"""Attributes of Tune's controller, and what they are."""

RAYS_OWN = re.compile(
    r"ray\._private|ray\._raylet|internal_kv|ray\.core\.generated|_temp_dir|_do_request"
    r"|class_cache|temporary_state|_tune_controller\b|\bRAY_[a-z]\w+"
    r"|_(stopped|failed|staged)_trials|_trials_to_cache|_trial_to_actor|_trial_metadata"
)


@dataclass(frozen=True)
class KnownTrial:
    trial_id: str
    local_path: Path


def found(name: str) -> Any:
    """What a name of the form module:attribute stands for."""
    module, _, attributes = name.partition(":")
    try:
        value: Any = importlib.import_module(module)
        for attribute in attributes.split("."):
            value = getattr(value, attribute)
    except (ImportError, AttributeError) as error:
        pytest.fail(f"Ray {ray.__version__} has no {name} any more: {error}")
    return value


@pytest.mark.parametrize("name", CALLS)
def test_a_function_takes_the_arguments_that_we_give(name: str) -> None:
    *positional, keywords = CALLS[name] if isinstance(CALLS[name][-1], dict) else (*CALLS[name], {})
    signature = inspect.signature(found(name))
    try:
        signature.bind(*positional, **keywords)
    except TypeError as error:
        pytest.fail(f"{name} of Ray {ray.__version__} is now called with {signature}: {error}")


@pytest.mark.parametrize("name", MESSAGES)
def test_a_message_has_the_fields_that_we_fill(name: str) -> None:
    fields = found(name).DESCRIPTOR.fields_by_name
    assert set(MESSAGES[name]) <= set(fields), f"fields of {name} in Ray {ray.__version__}: {sorted(fields)}"


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_has_the_method_that_we_call(name: str) -> None:
    channel = SimpleNamespace(unary_unary=lambda *_, **__: None, unary_stream=lambda *_, **__: None)
    methods = vars(found(name)(channel))
    assert SERVICES[name] in methods, f"methods of {name} in Ray {ray.__version__}: {sorted(methods)}"


def test_ray_still_knows_workers_in_python() -> None:
    assert found("ray.core.generated.common_pb2:Language").Value("PYTHON") == 0


@pytest.mark.parametrize(
    "name", [ray_internals.PRELOAD_VARIABLE, ray_internals.NICENESS_VARIABLE, ray_internals.FIRST_WORKERS_VARIABLE]
)
def test_rays_binary_reads_the_variables_that_we_set(name: str) -> None:
    raylet = Path(ray.__file__).parent / "core/src/ray/raylet/raylet"
    with raylet.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as binary:
        assert binary.find(name.removeprefix("RAY_").encode()) >= 0, f"Ray {ray.__version__} reads no {name} any more"


@pytest.mark.parametrize("name", ray_internals._JOB_CLIENT_LOGGERS)
def test_the_job_clients_loggers_are_there(name: str) -> None:
    loggers = [value for value in vars(importlib.import_module(name)).values() if isinstance(value, logging.Logger)]
    assert name in [logger.name for logger in loggers], f"{name} of Ray {ray.__version__} logs elsewhere: {loggers}"


def test_a_class_that_becomes_an_actor_takes_no_id_from_rays_generator() -> None:
    drawn = importlib.import_module("ray.actor").ActorClassID
    with ray_internals.unseeded_ids():
        assert importlib.import_module("ray.actor").ActorClassID is not drawn
        one, other = (ray.remote(type("Mine", (), {})) for _ in range(2))
    assert importlib.import_module("ray.actor").ActorClassID is drawn
    assert one.__ray_metadata__.class_id != other.__ray_metadata__.class_id


def test_ray_looks_up_what_prints_when_it_prints() -> None:
    worker = importlib.import_module("ray._private.worker")
    before = worker.print_to_stdstream
    with ray_internals.silent_workers():
        assert worker.print_to_stdstream is not before
        assert worker.print_to_stdstream({"pid": "raylet", "is_err": True, "lines": ["A worker died"]}) is None
    assert worker.print_to_stdstream is before
    assert "print_to_stdstream" in worker.listen_error_messages.__globals__


def test_rays_library_reads_the_variables_of_a_forked_worker() -> None:
    path = Path(found(ray_internals.LIBRARY + ":__file__"))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as library:
        for name in (*ray_internals.NO_JOB, "RAY_RAYLET_PID"):
            assert library.find(name.removeprefix("RAY_").encode()) >= 0, f"Ray {ray.__version__} reads no {name}"


def test_a_local_ray_starts_our_workers_and_no_more_processes_than_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    parameter, node = found("ray._private.parameter:RayParams"), found("ray._private.node:Node")
    assert {"include_log_monitor", "no_monitor", "worker_path"} <= inspect.signature(parameter).parameters.keys()
    start = node.start_api_server
    assert inspect.signature(start).parameters.keys() == {"self", "include_dashboard", "raise_on_failure"}
    command = "ray._private.services:_build_python_executable_command_memory_profileable"
    asked = "ray._private.utils:get_dashboard_dependency_error"
    before = found(command), found(asked)
    assert {"component", "session_dir", "unbuffered"} == inspect.signature(before[0]).parameters.keys()
    assert not inspect.signature(before[1]).parameters
    starts_raylet = found("ray._private.services:start_raylet").__code__.co_names
    assert {name.rpartition(":")[2] for name in (command, asked)} <= set(starts_raylet), "Ray starts agents otherwise"
    started: list[tuple[Any, ...]] = []

    def init(**_: Any) -> None:
        made = importlib.import_module("ray._private.parameter").RayParams()
        assert made.worker_path == "/tmp/worker.py"
        agent = found(command)("dashboard_agent", "/tmp/session")
        started.append((made.include_log_monitor is False, made.no_monitor, node.start_api_server is not start, agent))
        assert (found(asked) is before[1]) == (found(command) is before[0])

    monkeypatch.setattr(ray, "init", init)
    for include_dashboard, agent_path in ((False, "/tmp/agent.py"), (False, None), (True, "/tmp/agent.py")):
        ray_internals.start_local(
            "/tmp/x", include_dashboard=include_dashboard, worker_path="/tmp/worker.py", agent_path=agent_path
        )
        assert importlib.import_module("ray._private.parameter").RayParams is parameter
        assert node.start_api_server is start
        assert (found(command), found(asked)) == before
    rays = [sys.executable, "-u"]
    ours = [sys.executable, "-I", "-S", "/tmp/agent.py", "dashboard_agent"]
    assert started == [(True, True, True, ours), (True, True, True, rays), (False, False, False, rays)]


def test_a_node_is_known_as_soon_as_it_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    assert inspect.signature(found("ray._private.services:get_node")).parameters.keys() == {"gcs_address", "node_id"}
    looks: list[dict[str, str]] = [{}, {}, {"node": "info"}]
    assert hasattr(found("ray._raylet:InnerGcsClient"), "get_all_node_info"), "to which the client passes its calls"
    client = SimpleNamespace(get_all_node_info=lambda **_: looks.pop(0))
    monkeypatch.setattr("ray._raylet.GcsClient", lambda **_: client)
    monkeypatch.setattr("ray._private.services.get_node", lambda address, node: (address, node, len(looks)))
    with ray_internals.started_otherwise(include_dashboard=True, worker_path="/tmp/worker.py"):
        assert found("ray._private.services:get_node")("10.0.0.1:6379", "a1") == ("10.0.0.1:6379", "a1", 0)


def test_workers_are_waited_for_until_they_take_work(monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[bytes] = []

    def main_loop(count: int) -> None:
        while len(keys) < count:
            time.sleep(0.005)

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr("ray._private.state.workers", lambda: {"aa": {}, "bb": {}})
    monkeypatch.setattr("ray.experimental.internal_kv._internal_kv_put", lambda key, *_, **__: keys.append(key))
    monkeypatch.setattr("ray.experimental.internal_kv._internal_kv_list", lambda *_, **__: keys)
    ready = [ray_internals.preloaded_workers()]
    for count, worker in enumerate(("aa", "bb", "ended"), start=1):
        monkeypatch.setattr(ray, "get_runtime_context", partial(SimpleNamespace, get_worker_id=partial(str, worker)))
        ray_internals.report_preloaded()
        time.sleep(1.5 * ray_internals.ANNOUNCE_SECONDS)
        assert len(keys) == count - 1, "its main thread is not in Ray's loop"
        main_loop(count)
        ready.append(ray_internals.preloaded_workers())
    assert ready == [0, 1, 2, 2]


def test_only_workers_that_are_missing_are_started_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[int] = []
    actors = {"running": {"Pid": os.getpid()}, "ended": {"Pid": 2**22 + 1}, "pending": {"Pid": 0}}
    monkeypatch.setattr(ray, "nodes", lambda: [{"Alive": True, "Resources": {"CPU": 3.0}}])
    monkeypatch.setattr("ray._private.state.actors", lambda: actors)
    monkeypatch.setattr(prestart, "start_python_workers", lambda _node, count, **_: started.append(count))
    for workers in range(6):  # one of which has the actor that runs
        monkeypatch.setattr("ray._private.state.workers", lambda workers=workers: {key: {} for key in range(workers)})
        assert prestart.prestart_workers() == max(0, 4 - max(1, workers))
    assert started == [3, 3, 2, 1]


def test_a_process_without_a_ray_reports_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "get_runtime_context", lambda: pytest.fail("starts a Ray"))
    ray_internals.report_preloaded()


def test_a_call_without_a_ray_joins_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray._private.auto_init_hook.enable_auto_connect", True)
    started: list[str] = []
    monkeypatch.setattr(ray, "init", lambda *_, **__: started.append("a Ray"))
    ray_internals.forbid_auto_connect()
    with pytest.raises(ray.exceptions.RaySystemError, match="has not been started"):
        ray.put(1)
    assert started == []


def test_authentication_is_read_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    try:
        for token in ("1" * 64, "2" * 64):
            monkeypatch.setenv("RAY_AUTH_MODE", "token")
            monkeypatch.setenv("RAY_AUTH_TOKEN", token)
            ray_internals.reread_authentication()
            assert ray_internals.token_headers() == {"authorization": f"Bearer {token}"}
    finally:
        monkeypatch.undo()
        ray_internals.reread_authentication()
    assert ray_internals.token_headers() == {}


def test_a_request_of_the_job_client_is_limited() -> None:
    asked: list[dict[str, Any]] = []
    client: Any = SimpleNamespace(_do_request=lambda *_, **keywords: asked.append(keywords))
    ray_internals.limit_requests(client, timeout=5.0)
    client._do_request("GET", "/api/jobs/")
    assert asked == [{"timeout": 5.0}]


def test_tunes_actors_get_no_variable_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = found("ray.tune.execution.class_cache:DEFAULT_ENV_VARS")
    monkeypatch.setitem(variables, "PL_DISABLE_FORK", "1")
    tune_internals.use_prestarted_workers()
    assert variables == {}
    assert "DEFAULT_ENV_VARS" in found("ray.tune.execution.class_cache:_ActorClassCache.get").__code__.co_names


@pytest.fixture
def controller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TuneController:
    monkeypatch.setenv("TUNE_MAX_PENDING_TRIALS_PG", "1")  # or it asks a running Ray
    storage = found("ray.train._internal.storage:StorageContext")
    return TuneController(storage=storage(storage_path=str(tmp_path), experiment_dir_name="experiment"))


@pytest.mark.parametrize("name", CONTROLLER)
def test_tunes_controller_has_the_attributes_that_we_change(name: str, controller: TuneController) -> None:
    value = getattr(controller, name, None)
    assert isinstance(value, CONTROLLER[name]), f"TuneController.{name} of Ray {ray.__version__} is {value!r}"


def test_tune_forgets_a_trial_that_ended_and_keeps_the_others(controller: TuneController, tmp_path: Path) -> None:
    trials = [KnownTrial(name, tmp_path / name) for name in ("ended", "failed", "running", "staged")]
    for trial in trials:
        trial.local_path.mkdir()
    ended, failed, running, staged = trials
    known: Any = controller
    known._trials = trials
    known._live_trials = set(trials)
    known._stopped_trials, known._failed_trials = {ended, staged}, {failed}
    known._staged_trials, known._trials_to_cache = {staged}, {ended}
    known._trial_metadata = {"ended": "{}", "running": "{}"}
    tune_internals.forget_ended_trials(controller._wrapped())
    assert known._trials == [running, staged]
    assert known._live_trials == {running, staged}
    assert (known._stopped_trials, known._failed_trials, known._trials_to_cache) == ({staged}, set(), set())
    assert known._trial_metadata == {"running": "{}"}
    assert [trial.local_path.exists() for trial in (ended, failed, running, staged)] == [False, False, True, True]


def test_a_trial_names_its_actor() -> None:
    trial = Trial("__fake", stub=True)
    assert tune_internals.actor_of(trial) is None
    trial.temporary_state.ray_actor = handle = object()
    assert tune_internals.actor_of(trial) is handle


def test_these_two_files_alone_name_what_ray_keeps_private() -> None:
    package = Path(ray_internals.__file__).parents[1]
    owners = {Path(module.__file__ or "") for module in (ray_internals, tune_internals)}
    uses = [
        f"{path.relative_to(package)}:{number}: {line.strip()}"
        for path in sorted(package.rglob("*.py"))
        if path not in owners
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if RAYS_OWN.search(line)
    ]
    assert uses == []
    assert all(RAYS_OWN.search(owner.read_text()) for owner in owners)
