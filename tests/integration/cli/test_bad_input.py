"""What the user gave cannot be used: one clear message, exit code 2, nothing started and nothing written."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ray_head import authenticated

pytestmark = pytest.mark.integration

GOOD = (Path(__file__).parents[3] / "config" / "agents" / "ppo_agent_v1.yaml").read_text()

CASES = {
    "missing file": ("gone.yaml", None, "Agent config file not found: gone.yaml"),
    "wrong extension": ("a.txt", GOOD, "a.txt: a config file must end in .yaml, .yml or .json"),
    "malformed YAML": ("a.yaml", "agent_id: a\nname: [x\nversion: 1\n", "a.yaml: line 3, column 8: malformed YAML"),
    "malformed JSON": ("a.json", '{"agent_id": "a",\n "name" 1}', "a.json: line 2, column 9: malformed JSON"),
    "a list": ("a.yaml", "- a\n- b\n", "Config file must contain a dictionary/object: a.yaml (its root is a list)"),
    "an empty file": ("a.yaml", "", "Config file must contain a dictionary/object: a.yaml (the file is empty)"),
    "missing field": ("a.yaml", GOOD.replace("version: 1\n", ""), "a.yaml: version: is missing"),
    "unknown key": ("a.yaml", GOOD.replace("gamma:", "gama:"), "a.yaml: gama: unknown key; did you mean gamma?"),
    "wrong type": ("a.yaml", GOOD.replace("gamma: 0.99", "gamma: high"), "a.yaml: gamma: must be a number, got 'high'"),
    "out of range": ("a.yaml", GOOD.replace("gamma: 0.99", "gamma: 1.5"), "a.yaml: gamma: must be at most 1, got 1.5"),
    "algorithm": (
        "a.yaml",
        GOOD.replace("MaskablePPO", "MaskedPPO"),
        "a.yaml: algorithm: unknown algorithm 'MaskedPPO', known are MaskablePPO, PPO, A2C; did you mean MaskablePPO?",
    ),
    "activation": (
        "a.yaml",
        GOOD.replace("tanh", "tahn"),
        "a.yaml: network.activation_fn: must be one of tanh, relu, elu, got 'tahn'; did you mean tanh?",
    ),
}


@pytest.mark.parametrize(("name", "content", "message"), CASES.values(), ids=CASES)
def test_a_config_that_cannot_be_used(cli: Any, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (cli.folder / name).write_text(content)
    refused(cli, message, "submit", name)


@pytest.mark.parametrize("command", ["plan", "train"])
def test_every_command_that_reads_configs_refuses_them(cli: Any, command: str) -> None:
    flag = ["--agent-config"] if command == "train" else []
    refused(cli, "Agent config file not found: gone.yaml", command, *flag, "gone.yaml")


def test_a_pattern_that_matches_nothing_names_what_lies_nearby(cli: Any) -> None:
    (cli.folder / "ppo_agent_v1.yaml").write_text(GOOD)
    refused(
        cli, "No config file matches 'ppo_agnt_*.yaml'; did you mean ppo_agent_v1.yaml?", "submit", "ppo_agnt_*.yaml"
    )


def test_all_broken_files_of_a_pattern_are_told_at_once(cli: Any) -> None:
    told = {}
    for number, (name, content, message) in enumerate(CASES.values()):
        if content is not None and name != "a.txt":
            broken = f"{number}_{name}"
            (cli.folder / broken).write_text(content)
            told[broken] = message.replace(name, broken)
    (cli.folder / "good.yaml").write_text(GOOD)
    done = cli.run("submit", "*.yaml", "*.json", expect=2)
    lines = done.stderr.removeprefix("Error: ").splitlines()
    assert len(lines) == len(told)
    for message in told.values():
        assert any(line.startswith(message) for line in lines), f"{message!r} is not in {lines}"
    assert not cli.home.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--base-config", "gone.yaml"], "Base config file not found: gone.yaml"),
        (["--set", "gama=0.9"], "--set gama=0.9: unknown key; did you mean gamma?"),
        (["--set", "gamma"], "--set gamma: write KEY=VALUE, such as --set ppo.ent_coef=0.0"),
        (["--set", "gamma=7"], "--set gamma: must be at most 1, got 7"),
        (
            ["--set", "environment=nowhere:Game"],
            "--set environment: module 'nowhere' of 'nowhere:Game' not found",
        ),
        (["--set", "environment=a/b/c"], "--set environment: unknown environment 'a/b/c'; write open_spiel/<game>"),
        (["--set", "opponent=gone.zip"], "--set environment.opponent: checkpoint not found: gone.zip"),
        (["--with-base", "--set", "n_envs=0"], "--set n_envs: must be at least 1, got 0"),
        (["--episodes", "0"], "Invalid value for '--episodes'"),
        (["--mode", "smok"], "Invalid value for '--mode'"),
        (["--episodez", "9"], "No such option: --episodez"),
    ],
)
def test_a_flag_that_cannot_be_used(cli: Any, arguments: list[str], message: str) -> None:
    (cli.folder / "ppo_agent_v1.yaml").write_text(GOOD)
    refused(cli, message, "submit", "ppo_agent_v1.yaml", *arguments)


@pytest.mark.parametrize("command", [("plan",), ("train", "--agent-config")], ids=["plan", "train"])
def test_an_environment_that_is_not_there(cli: Any, command: tuple[str, ...]) -> None:
    (cli.folder / "ppo_agent_v1.yaml").write_text(GOOD)
    message = "Environment 'open_spiel/conect_four': OpenSpiel has no game 'conect_four'; did you mean connect_four?"
    refused(cli, message, *command, "ppo_agent_v1.yaml", "--set", "environment=open_spiel/conect_four")


@pytest.mark.xdist_group("ray head")
def test_submit_puts_no_sweep_on_record_for_an_environment_that_is_not_there(
    cli_on_database: Any, ray_head: dict[str, str]
) -> None:
    cli = cli_on_database.with_environ(**ray_head)
    (cli.folder / "ppo_agent_v1.yaml").write_text(GOOD)
    flags = ("ppo_agent_v1.yaml", "--set", "environment=CartPole-v11")
    message = "Environment 'CartPole-v11' is not a registered Gymnasium id; did you mean CartPole-v1?"
    with authenticated(ray_head):  # it has begun to join Ray
        check_refusal(cli, message, cli.run("submit", *flags, expect=2))
    assert cli.json("sweeps") == []
    assert cli.json("runs") == []


@pytest.mark.parametrize("command", [("submit",), ("train", "--agent-config"), ("report",)], ids=lambda words: words[0])
def test_an_unreachable_database(cli: Any, closed_port: int, command: tuple[str, ...]) -> None:
    (cli.folder / "ppo_agent_v1.yaml").write_text(GOOD)
    away = cli.with_environ(RLSWEEP_DATABASE_URL=f"postgresql://me:secret-word@127.0.0.1:{closed_port}/sweeps")
    err = refused(
        away, f'Cannot work with the database "sweeps" at 127.0.0.1:{closed_port}', *command, "ppo_agent_v1.yaml"
    )
    assert "Connection refused" in err
    assert "RLSWEEP_DATABASE_URL" in err
    assert "secret-word" not in err


def test_a_traceback_only_with_debug(cli: Any) -> None:
    assert "Traceback" not in cli.run("plan", "gone.yaml", expect=2).stderr
    for arguments in (("--debug", "plan", "gone.yaml"), ("plan", "gone.yaml", "--debug")):
        err = cli.run(*arguments, expect=2).stderr
        assert err.startswith("Traceback")
        assert "ConfigError: Agent config file not found: gone.yaml" in err


def test_a_process_says_the_same_and_exits_so(cli: Any) -> None:
    check_refusal(cli, "Agent config file not found: gone.yaml", cli.run_process("plan", "gone.yaml", expect=2))


def refused(cli: Any, message: str, *arguments: str) -> str:
    """The command says `message` and little more, exits with 2, and leaves no trace."""
    done = cli.run(*arguments, expect=2)
    check_refusal(cli, message, done)
    return str(done.stderr)


def check_refusal(cli: Any, message: str, done: Any) -> None:
    said = done.stderr.splitlines()
    assert sum(line.startswith("Error: ") for line in said) == 1, done.stderr
    assert f"Error: {message}" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not cli.home.exists()


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:  # bound, so that nobody else takes it, and deaf
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]
