"""Series reduced to a few cells, for a screen."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rlsweep.analysis.curves import Floats, Steps
from rlsweep.analysis.diagnosis.series import UpdateSeries
from rlsweep.analysis.diagnosis.zones import STRIP_METRICS, StripMetric, Zone

CELLS = 60

_SEVERITY = {Zone.USUAL: 0, Zone.UNUSUAL: 1, Zone.FAR: 2}


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """One metric over the env steps of one run, or of several.

    values: (cells,) of the run whose value is furthest from usual, or the mean where all are usual; None without one
    zones: (cells,) index of the metric's band; -1 where there is no value
    """

    metric: str
    values: tuple[float | None, ...]
    zones: tuple[int, ...]


def strips(runs: Sequence[UpdateSeries]) -> tuple[Strip, ...]:
    """A strip a metric, on a common grid of env steps from 0 to the end of the longest run."""
    end = max((float(run.update_steps[-1]) for run in runs if run.updates), default=0.0)
    cells = min(CELLS, max((run.updates for run in runs), default=0))
    if not cells:
        return ()
    return tuple(_strip(metric, runs, end, cells) for metric in STRIP_METRICS)


def reward_cells(runs: Sequence[UpdateSeries]) -> tuple[float | None, ...]:
    """The runs' mean training reward in the cells of the same grid; empty without updates."""
    end = max((float(run.update_steps[-1]) for run in runs if run.updates), default=0.0)
    if not end:
        return ()
    rows = [in_cells(run.reward_steps, run.reward, end, CELLS) for run in runs]
    return tuple(_shown(value) for value in _mean(np.stack(rows)))


def _strip(metric: StripMetric, runs: Sequence[UpdateSeries], end: float, cells: int) -> Strip:
    values = np.stack([_carried_back(run, getattr(run, metric.name), end, cells) for run in runs])
    ratios = np.array([metric.ratio_to(run) for run in runs])
    bands = metric.zones(values / ratios[:, None])
    severity = np.array([*(_SEVERITY[band.zone] for band in metric.bands), -1])[bands]
    worst = severity.argmax(axis=0), np.arange(cells)
    shown = np.where(severity[worst] > 0, values[worst], _mean(np.where(severity >= 0, values, np.nan)))
    return Strip(
        metric=metric.name,
        values=tuple(_shown(value) for value in shown),
        zones=tuple(bands[worst].tolist()),
    )


def _carried_back(run: UpdateSeries, values: Floats, end: float, cells: int) -> Floats:
    """The run's values in cells; an empty cell has that of the next update, which learned from its env steps."""
    found = in_cells(run.update_steps, values, end, cells)
    ends = end / cells * np.arange(1, cells + 1)
    following = np.searchsorted(run.update_steps, ends)
    is_empty = ~np.isfinite(found) & (following < run.updates)
    found[is_empty] = values[following[is_empty]]
    return found


def in_cells(env_steps: Steps | Floats, values: Floats, end: float, cells: int) -> Floats:
    """Mean of the finite values in each cell, (cells,); NaN in a cell without any. A cell includes its end."""
    is_known = np.isfinite(values)
    cell = np.clip(np.ceil(env_steps[is_known] * (cells / end)).astype(np.int64) - 1, 0, cells - 1)
    number = np.bincount(cell, minlength=cells)
    total = np.bincount(cell, weights=values[is_known], minlength=cells)
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan), dtype=np.float64)


def _mean(rows: Floats) -> Floats:
    """Mean over the rows that have a value, per column; NaN where none has."""
    is_known = np.isfinite(rows)
    number = is_known.sum(axis=0)
    total = np.where(is_known, rows, 0.0).sum(axis=0)
    return np.asarray(np.where(number > 0, total / np.maximum(number, 1), np.nan), dtype=np.float64)


def _shown(value: float) -> float | None:
    """Four significant digits: a cell is read, not computed with."""
    return float(f"{value:.4g}") if np.isfinite(value) else None
