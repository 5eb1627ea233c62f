"""A comparison of any runs: those of one environment, opponent and budget together, since scores compare only there."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rlsweep.analysis.wording import limits
from rlsweep.config.differences import differing_keys
from rlsweep.config.training import EnvironmentSpec
from rlsweep.reports.comparison import Comparison
from rlsweep.reports.summary import compare
from rlsweep.runs import TrainingRun
from rlsweep.store.database import Database

ENVIRONMENT, BUDGET = "environment.id", "budget"


@dataclass(frozen=True, kw_only=True, slots=True)
class ComparedGroup:
    """The runs of one environment, opponent and budget. setting: these in words."""

    setting: str
    run_ids: tuple[UUID, ...]
    comparison: Comparison


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingDifference:
    """A key of the environment, or the budget, in which the groups differ. values: as text, one of each group."""

    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupedComparison:
    """Any runs, compared within each group of one environment, opponent and budget; nothing is ranked across them."""

    groups: tuple[ComparedGroup, ...]
    differences: tuple[SettingDifference, ...]


def compare_by_setting(database: Database, runs: Sequence[TrainingRun]) -> GroupedComparison:
    """Put the runs of each environment, opponent and budget together, in the order of their first runs."""
    together: dict[str, list[TrainingRun]] = {}
    settings: dict[str, dict[str, Any]] = {}
    for run in runs:
        setting = _setting(run)
        key = json.dumps(setting, sort_keys=True)
        settings[key] = setting
        together.setdefault(key, []).append(run)
    differing = differing_keys(settings)
    return GroupedComparison(
        groups=tuple(
            ComparedGroup(
                setting=_words(settings[key], list(differing)),
                run_ids=tuple(run.id for run in group),
                comparison=compare(database, group),
            )
            for key, group in together.items()
        ),
        differences=tuple(
            SettingDifference(key=name, values=tuple(_text(values[key]) for key in settings))
            for name, values in differing.items()
        ),
    )


def _setting(run: TrainingRun) -> dict[str, Any]:
    """What scores depend on beside the agent config, by dotted key; what older versions did not write is filled in."""
    recorded = run.config.get("training", {}).get("environment", {})
    environment = EnvironmentSpec().model_dump(mode="json") | {"id": run.environment} | recorded
    kwargs = environment.pop("kwargs")
    return {
        **{f"environment.{key}": value for key, value in environment.items()},
        **{f"environment.kwargs.{key}": value for key, value in kwargs.items()},
        BUDGET: limits(run.budget) or None,
    }


def _words(setting: dict[str, Any], differing: Sequence[str]) -> str:
    """Environment and budget, and the other keys in which the groups differ."""
    others = [key for key in differing if key not in (ENVIRONMENT, BUDGET)]
    told = [f"{key.rpartition('.')[2]} {_text(setting.get(key))}" for key in others]
    budget = setting[BUDGET]
    return ", ".join([_text(setting[ENVIRONMENT]), *told, *([f"{budget} a run"] if budget else [])])


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value)
