"""The conditions of the rules: functions of one run's updates and reward curve.

Each returns the update from which it holds, with the fact in words, or None. The limits are those of the zones and of
this file; how they were set is said at each. A comparison with NaN, where a value is missing, is never true.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rlsweep.analysis.curves import Floats
from rlsweep.analysis.diagnosis import zones
from rlsweep.analysis.diagnosis.series import UpdateSeries
from rlsweep.analysis.finite import finite_median
from rlsweep.analysis.instability import HIGH_KL, LOWEST_EXPLAINED_VARIANCE
from rlsweep.analysis.wording import number, percent, plural

LONG = 0.5
"""Share of the updates, or of the later half of them, that counts as for long."""

NEARLY_ALL = 0.8

CLEAR_SE = 2.0
"""Standard errors by which reward must have risen to count as risen."""

UNLEARNED = 0.02
"""Explained variance that near to zero is that of a constant. Runs that learned crossed this band and left it."""

LARGE_VALUE_LOSS = 1e4
"""Returns of a hundred and more: with the usual vf_coef and max_grad_norm the policy's gradient is lost beside it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """Where a rule holds. since: number of the update from which; what: the fact, a sentence's first half."""

    since: int
    what: str


def not_finite(series: UpdateSeries) -> Observation | None:
    """A loss or the entropy is not finite, or the run was ended because something was not."""
    is_bad = ~(np.isfinite(series.policy_loss) & np.isfinite(series.value_loss) & np.isfinite(series.entropy))
    if is_bad.any():
        since = int(np.argmax(is_bad)) + 1
    elif series.diverged:
        since = series.updates + 1
    else:
        return None
    return Observation(since=since, what=f"A loss, a weight or a reward became NaN or infinite at update {since}")


def entropy_collapsed(series: UpdateSeries) -> Observation | None:
    """Entropy fell to next to nothing in the first half, stayed there, and reward did not rise from then on."""
    first = zones.ENTROPY.ratio_to(series)
    if not np.isfinite(first):
        return None
    is_low = series.entropy < zones.LOW_ENTROPY_SHARE * first
    since = _from_then_on(is_low)
    if since is None or since > series.updates // 2 or not _is_no_better_than_before(series, since):
        return None
    return Observation(since=since + 1, what=f"Entropy collapsed at update {since + 1} and reward never recovered")


def kl_high(series: UpdateSeries) -> Observation | None:
    """Approximate KL is above the limit in half of all updates."""
    is_high = series.approx_kl > HIGH_KL
    if _share(is_high) < LONG:
        return None
    kl = float(np.nanmedian(series.approx_kl))
    return Observation(
        since=int(np.argmax(is_high)) + 1,
        what=f"Approximate KL stood above {number(HIGH_KL)} in {percent(_share(is_high))} of the updates (median "
        f"{number(kl)}), so each moved the policy too far",
    )


def clip_range_small(series: UpdateSeries) -> Observation | None:
    """Most samples are clipped although the policy hardly moves."""
    is_clipped = (series.clip_fraction > LONG) & (series.approx_kl < 10 * zones.LOW_KL)
    if _share(is_clipped) < LONG:
        return None
    return Observation(
        since=int(np.argmax(is_clipped)) + 1,
        what=f"clip_range {series.settings.clip_range:g} clipped {percent(_median(series.clip_fraction))} of the "
        f"samples while the policy hardly moved (approximate KL {number(_median(series.approx_kl))})",
    )


def clipped_much(series: UpdateSeries) -> Observation | None:
    """Clip fraction is above the limit in half of all updates, and the policy moves."""
    is_clipped = (series.clip_fraction > zones.HIGH_CLIP_FRACTION) & (series.approx_kl >= 10 * zones.LOW_KL)
    if _share(is_clipped) < LONG:
        return None
    return Observation(
        since=int(np.argmax(is_clipped)) + 1,
        what=f"{percent(_median(series.clip_fraction))} of the samples were clipped in the median update, so most of "
        "each rollout was left unused",
    )


def cut_short(series: UpdateSeries) -> Observation | None:
    """target_kl ends half of all updates after few of their gradient steps."""
    target, steps = series.settings.target_kl, series.settings.gradient_steps
    is_cut = series.gradient_steps < zones.FEW_GRADIENT_STEPS * steps
    if target is None or _share(is_cut) < LONG:
        return None
    return Observation(
        since=int(np.argmax(is_cut)) + 1,
        what=f"target_kl {target:g} ended {percent(_share(is_cut))} of the updates before a tenth of their "
        f"{plural(steps, 'gradient step')} (median {number(_median(series.gradient_steps))})",
    )


def entropy_stuck(series: UpdateSeries) -> Observation | None:
    """Entropy stays where it began, under a large entropy bonus, and reward does not rise."""
    first = zones.ENTROPY.ratio_to(series)
    if series.settings.ent_coef < 0.1 or not np.isfinite(first) or not _is_flat(series):
        return None
    if float(series.entropy.min()) < 0.97 * first:
        return None
    return Observation(
        since=1,
        what=f"Entropy never fell from {number(first)} nats under ent_coef {series.settings.ent_coef:g}, and "
        "reward did not rise",
    )


def rewards_too_large(series: UpdateSeries) -> Observation | None:
    """The policy stands still beside a value loss whose gradient takes all that max_grad_norm leaves."""
    loss = _median(series.value_loss)
    if not _stands_still(series) or loss < LARGE_VALUE_LOSS:
        return None
    return Observation(
        since=1,
        what=f"The policy hardly moved (approximate KL {number(_median(series.approx_kl))}) beside a value loss of "
        f"{number(loss)}, whose gradient is all that max_grad_norm leaves",
    )


def nothing_moves(series: UpdateSeries) -> Observation | None:
    """Nothing is clipped, KL is next to zero, and reward does not rise."""
    if not _stands_still(series) or not _is_flat(series):
        return None
    return Observation(
        since=1,
        what=f"The policy hardly moved: approximate KL {number(_median(series.approx_kl))}, "
        f"{percent(_median(series.clip_fraction))} of the samples clipped, and reward did not rise",
    )


def value_loss_explodes(series: UpdateSeries) -> Observation | None:
    """Value loss grows a hundredfold, and the value network does not follow the returns."""
    first = zones.VALUE_LOSS.ratio_to(series)
    last = slice(-max(1, series.updates // 5), None)
    growth = _median(series.value_loss[last]) / first
    if not growth > zones.VALUE_LOSS_GROWTH or _median(series.explained_variance[last]) > LONG:
        return None
    since = int(np.argmax(series.value_loss > zones.VALUE_LOSS_GROWTH * first)) + 1
    return Observation(
        since=since,
        what=f"Value loss grew to {number(growth)} times its start, a hundred times by update {since}, and the value "
        "network did not follow",
    )


def value_worse_than_constant(series: UpdateSeries) -> Observation | None:
    """Explained variance is far below zero in the later half."""
    is_worse = series.explained_variance < LOWEST_EXPLAINED_VARIANCE
    if _share(is_worse[series.updates // 2 :]) < LONG or not _varies(series):
        return None
    return Observation(
        since=int(np.argmax(is_worse)) + 1,
        what="The value network predicted worse than a constant: explained variance "
        f"{number(_median(series.explained_variance[series.updates // 2 :]))} in the later half",
    )


def value_unlearned(series: UpdateSeries) -> Observation | None:
    """Explained variance never leaves zero, although rewards differ."""
    is_zero = np.abs(series.explained_variance) < UNLEARNED
    if _share(is_zero) < NEARLY_ALL or not _varies(series):
        return None
    return Observation(
        since=1,
        what=f"Explained variance stood at zero in {percent(_share(is_zero))} of the updates, so the value network "
        "learned nothing",
    )


def _share(holds: NDArray[np.bool_]) -> float:
    return float(holds.mean()) if holds.size else 0.0


def _median(values: Floats) -> float:
    found = finite_median(values)
    return float("nan") if found is None else found


def _from_then_on(holds: NDArray[np.bool_]) -> int | None:
    """The first place from which it holds to the end; None if it does not hold at the end."""
    if not holds.size or not holds[-1]:
        return None
    others = np.flatnonzero(~holds)
    return int(others[-1]) + 1 if others.size else 0


def _stands_still(series: UpdateSeries) -> bool:
    is_still = (series.approx_kl < zones.LOW_KL) & (series.clip_fraction < 0.001)
    return _share(is_still) >= NEARLY_ALL


def _is_flat(series: UpdateSeries) -> bool:
    """Whether reward did not rise clearly from the first fifth of the curve to the last."""
    fifth = max(2, series.reward.size // 5)
    return series.reward.size >= 2 * fifth and not _rose(series.reward[:fifth], series.reward[-fifth:])


def _is_no_better_than_before(series: UpdateSeries, since: int) -> bool:
    """Whether the last fifth of the reward curve is not clearly above what came before an update."""
    fifth = max(2, series.reward.size // 5)
    before = series.reward[series.reward_steps <= series.update_steps[since]]
    return series.reward.size >= 2 * fifth and not _rose(before, series.reward[-fifth:])


def _rose(before: Floats, after: Floats) -> bool:
    """Whether the mean rose by more than its standard errors explain; False where one point stands for a side."""
    if before.size < 2 or after.size < 2:
        return False
    se = float(np.hypot(before.std(ddof=1) / np.sqrt(before.size), after.std(ddof=1) / np.sqrt(after.size)))
    return float(after.mean() - before.mean()) > CLEAR_SE * se


def _varies(series: UpdateSeries) -> bool:
    """Whether rewards differ at all: of constant returns no variance can be explained."""
    return series.reward.size > 1 and float(np.ptp(series.reward)) > 0
