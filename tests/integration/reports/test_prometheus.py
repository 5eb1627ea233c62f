"""The configuration and the alerts of dashboards/prometheus, as promtool reads them.

That each alert fires of real series, and that every query is answered, is shown where a Ray is: in
tests/integration/sweep/test_drivers.py and test_jobs.py.
"""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus import FOLDER, required

pytestmark = pytest.mark.integration

RULES_TEST = Path(__file__).parents[2] / "data" / "prometheus" / "rules_test.yaml"
RULES = [rule for group in yaml.safe_load((FOLDER / "rules.yaml").read_text())["groups"] for rule in group["rules"]]


def promtool(*arguments: str | Path) -> str:
    done = subprocess.run(
        [required("promtool"), *arguments], capture_output=True, text=True, timeout=60, check=False, cwd=FOLDER
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_promtool_takes_the_configuration_and_the_rules() -> None:
    assert f"{len(RULES)} rules found" in promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
    promtool("check", "config", "--syntax-only", "prometheus.yaml")


def test_alerts_begin_and_end_when_they_should() -> None:
    promtool("test", "rules", RULES_TEST)
    tested = set(re.findall(r"alertname: (\w+)", RULES_TEST.read_text()))
    assert tested == {rule["alert"] for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_every_alert_says_what_it_is_about_and_the_way_out(rule: dict[str, Any]) -> None:
    said = rule["annotations"]
    assert "{{ $value" in said["description"]
    names_sweep = re.search(r"by \(sweep\)|rlsweep_sweep_", rule["expr"]) is not None
    assert all(("{{ $labels.sweep }}" in said[part]) is names_sweep for part in ("summary", "description"))
    assert rule["labels"]["severity"] in ("warning", "critical")
    lasting = re.fullmatch(r"[1-9]\d*m", rule.get("for", ""))
    assert lasting or rule["alert"] == "RlsweepNodeLost", "a scrape may fail once, a lost node stays lost"


def test_the_readme_writes_the_tokens(tmp_path: Path) -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    (command,) = re.findall(r"^\(umask .*\)$", readme, flags=re.MULTILINE)
    (tmp_path / "dashboards" / "prometheus").mkdir(parents=True)
    (tmp_path / ".rlsweep" / "service").mkdir(parents=True)
    (tmp_path / ".rlsweep" / "service" / "ray-token").write_text("of-the-service")
    configured = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())["scrape_configs"]
    files = [
        configured[0]["http_sd_configs"][0]["authorization"]["credentials_file"],
        configured[1]["authorization"]["credentials_file"],
    ]
    for given, written in (
        ({}, ["of-the-service\n", "none\n"]),
        ({"RAY_AUTH_TOKEN": "of-ray", "RLSWEEP_TOKEN": "of-the-page"}, ["of-ray\n", "of-the-page\n"]),
    ):
        environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]} | given
        subprocess.run(["bash", "-euc", command], cwd=tmp_path, env=environ, check=True, timeout=60)
        tokens = [tmp_path / "dashboards" / "prometheus" / file for file in files]
        assert [token.read_text() for token in tokens] == written
        assert [token.stat().st_mode & 0o077 for token in tokens] == [0, 0]


def test_the_readme_lists_every_alert_and_metric() -> None:
    readme = (FOLDER.parent / "README.md").read_text()
    assert set(re.findall(r"`(Rlsweep\w+)`", readme)) == {rule["alert"] for rule in RULES}
    read = json.dumps(RULES) + (FOLDER.parent / "grafana" / "rlsweep-ray.json").read_text()
    assert set(re.findall(r"\b(?:ray_)?rlsweep_(?!reader)\w+", read)) <= set(re.findall(r"`(\w+)`", readme))
