"""The report on a screen or in a pipe: plain words first, colour only as an aid."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rlsweep.analysis.intervals import Estimate, Interval, Method
from rlsweep.analysis.scores import Source
from rlsweep.analysis.slices import Slice
from rlsweep.analysis.verdicts import VerdictKind
from rlsweep.analysis.wording import duration, hyperparameter, limits, listed, number, percent, plural, signed
from rlsweep.reports.comparison import ScoredBy
from rlsweep.reports.config_report import ConfigReport, SeedReport
from rlsweep.reports.layout import wrapped
from rlsweep.reports.population_text import population_lines
from rlsweep.reports.reference import Reference, difference_words
from rlsweep.reports.summary import SweepReport
from rlsweep.runs import RunStatus

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_STYLES = {
    VerdictKind.NOT_STARTED: "cyan",
    VerdictKind.FAILED: "red",
    VerdictKind.UNSTABLE: "yellow",
    VerdictKind.NOT_IMPROVING: "yellow",
    VerdictKind.CLEARLY_WORSE: "yellow",
    VerdictKind.PROMISING: "green",
    VerdictKind.UNDECIDED: "cyan",
}


def render(report: SweepReport, console: "Console") -> None:
    """Print the report: findings, an overview if it fits, each config, and the next steps.

    Lines are wrapped at words to the console's width; commands are left whole, to be copied.
    """
    from rich.text import Text

    def say(text: str = "", *, mark: str = "", style: str = "") -> None:
        for line in wrapped(text, mark, console.width):
            console.print(Text(line, style=style), soft_wrap=True)

    say(f"Sweep {report.name}: {report.status}", style="bold")
    say(_what_ran(report))
    say()
    _print_card(report, console)
    _print_population(report, console)
    for finding in report.findings:
        say(finding, mark="* ")
    if report.findings:
        say()
    if report.configs:
        say(f"Score: {report.scored_by.definition}; a config's is the mean over its seeds.")
        if len(report.configs) > 1:
            say(report.rank_words)
        for text in together(report.slices):
            say(text)
        say()
    _print_overview(report, console)
    for config in report.configs:
        kind = config.verdict.kind
        provisional = " (provisional)" if config.verdict.provisional else ""
        heading = Text.assemble((f"{_rank(config):>2}  {config.name}", "bold"), ": ", (f"{kind}", _STYLES[kind]))
        console.print(heading.append(provisional), soft_wrap=True)
        for mark, text in _about(config, report.scored_by, report.reference):
            say(text, mark=f"    {mark}")
        say()
    for mark, text, style in _what_is_wrong(report):
        say(text, mark=mark, style=style)
    say("Next", style="bold")
    for step in report.next_steps:
        say(f"{step.text}:", mark="* ")
        console.print(Text(f"    {step.command}"), soft_wrap=True)


def together(slices: Sequence[Slice]) -> Iterator[str]:
    """Sentences on hyperparameters whose effects the configs cannot tell apart, as the page has them at each slice."""
    told: set[frozenset[str]] = set()
    groups = {each.key: frozenset((each.key, *each.inseparable)) for each in slices if each.inseparable}
    for key, group in groups.items():
        if group in told:
            continue
        told.add(group)
        others = [each.key for each in slices if each.key in group and each.key != key]
        if all(groups.get(other) == group for other in others):
            yield f"{listed([key, *others])} change only together: the scores cannot tell their effects apart."
        else:
            yield f"{key} changes only together with {listed(others)}: the scores cannot tell their effects apart."


def _what_is_wrong(report: SweepReport) -> Iterator[tuple[str, str, str]]:
    """Lines on training health and failed runs, where there are any: mark, text, style."""
    if report.training_health:
        yield "", "Training health", "bold yellow"
        for health in report.training_health:
            for finding in health.findings:
                yield "! ", f"{health.name}: {finding.text}", ""
        yield "", "", ""
    if report.failures:
        yield "", f"{plural(len(report.failures), 'run')} failed", "bold red"
        for failed in report.failures:
            show = f"rlsweep show {str(failed.run_id)[:8]}"
            yield "- ", f"{failed.config} seed {failed.seed}: {failed.error} ({show})", ""
        yield "", "", ""


def _print_card(report: SweepReport, console: "Console") -> None:
    """Print the decision card: what to take, why, with which risk, and the commands that would make that surer."""
    from rich.text import Text

    for line in report.card.lines:
        for part in wrapped(line.text, f"{line.heading:8} ", console.width):
            console.print(Text(part), soft_wrap=True)
    for place, step in enumerate(report.card.to_be_sure):
        mark = "TO BE SURE  " if place == 0 else " " * 12
        effort = f" ({step.effort})" if step.effort else ""
        for part in wrapped(f"{step.text}{effort}:", mark, console.width):
            console.print(Text(part), soft_wrap=True)
        console.print(Text(f"{' ' * 12}{step.command}"), soft_wrap=True)
    console.print()


def _print_population(report: SweepReport, console: "Console") -> None:
    """Print who copied whom, and where the best member comes from, if a population was trained."""
    if report.population is None:
        return
    for mark, text in population_lines(report.population):
        for part in wrapped(text, mark, console.width):
            console.print(part, markup=False, highlight=False, soft_wrap=True)
    console.print()


def _what_ran(report: SweepReport) -> str:
    runs = ", ".join(f"{count} {status}" for status, count in sorted(report.runs.items()))
    return (
        f"{report.environment}, {limits(report.budget)} a trial, mode {report.mode}. Runs: {runs or 'none'}. Recorded: "
        f"{plural(report.episodes, 'episode')}, {plural(report.updates, 'policy update')}, "
        f"{plural(report.env_steps, 'env step')} in {duration(report.seconds)}."
    )


def _print_overview(report: SweepReport, console: "Console") -> None:
    """One row a config: in full where that fits unbroken, else the essential columns, else left out."""
    essential = [column for column in _COLUMNS if column.is_essential]
    compared = () if report.reference is None else (_difference_column(report.reference),)
    for columns in ((*_COLUMNS, *compared), _COLUMNS, (*essential, *compared), essential):
        table = _overview(report, columns)
        if report.configs and table_width(table, console) <= console.width:
            console.print(table)
            console.print()
            return


def table_width(table: "Table", console: "Console") -> int:
    """Columns the table takes when no cell is cut."""
    return console.measure(table, options=console.options.update(width=10_000)).maximum


def _overview(report: SweepReport, columns: "Sequence[_Column]") -> "Table":
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column.heading, justify="right" if column.is_figure else "left", no_wrap=True)
    table.add_column("Verdict", no_wrap=True)
    for config in report.configs:
        kind = config.verdict.kind
        table.add_row(*(Text(column.cell(config)) for column in columns), Text(kind, style=_STYLES[kind]))
    return table


def _about(config: ConfigReport, scored_by: ScoredBy, reference: Reference | None) -> Iterator[tuple[str, str]]:
    """What is said of one config: a mark, empty or two columns wide, and the text."""
    for reason in config.verdict.reasons:
        yield "- ", reason
    yield (
        "",
        (config.path or "no file: drawn from a search space, or given as a dict")
        + (f" ({_differences(config)})" if config.differences else ""),
    )
    yield (
        "",
        f"{plural(len(config.seeds), 'seed')}, {plural(config.episodes, 'episode')}, "
        f"{_updates(config.seeds)}, "
        f"{plural(config.env_steps, 'env step')}",
    )
    for text in _figures(config, scored_by, reference):
        yield "", text
    for sign in config.signs:
        yield ("+ ", f"Good: {sign.text}") if sign.good else ("! ", f"Warning: {sign.text}")


def _updates(seeds: Sequence[SeedReport]) -> str:
    """The policy updates of each seed, failed ones too, so that the configs add up to what the report begins with."""
    fewest, most = min(seed.updates for seed in seeds), max(seed.updates for seed in seeds)
    counted = plural(most, "policy update") if fewest == most else f"{fewest:,} to {plural(most, 'policy update')}"
    return f"{counted} per seed" if len(seeds) > 1 else counted


def _figures(config: ConfigReport, scored_by: ScoredBy, reference: Reference | None) -> Iterator[str]:
    """The config's figures, a sentence each."""
    if config.score_estimate is not None:
        yield f"score: {with_interval(config.score_estimate)}"
    if config.difference is not None and reference is not None:
        yield f"less {reference.words}: {difference_words(config.difference)}"
    if config.first is None or config.last is None:
        return
    if len(config.seeds) > 1:
        yield f"score by seed: {', '.join(_seed(seed) for seed in config.seeds)}"
    if config.score_win_rate is not None and config.win_rate is not None:
        yield (
            f"win rate of what is scored: {_rate(config.score_win_rate)}; "
            f"of all training episodes: {percent(config.win_rate.mean)}"
        )
    yield f"training reward, mean of the first fifth: {with_interval(config.first)}"
    if scored_by.source is not Source.TRAINING:
        yield f"training reward, mean of the last fifth: {with_interval(config.last)}"
    if config.trend is not None:
        yield f"trend: {config.trend.direction}, {signed(config.trend.change)} over the budget"
    if config.episode_sd is not None:
        over_seeds = "" if config.last.sd is None else f"; over seeds: sd {number(config.last.sd)}"
        yield f"spread of single episodes in the last fifth: sd {number(config.episode_sd)}{over_seeds}"
    if config.area is not None:
        reached = "no gain to converge to"
        if config.steps_to_90 is not None and not config.is_dead:
            reached = f"90% of its gain after {config.steps_to_90:,.0f} env steps"
        yield f"convergence: {reached}; area under the curve {number(config.area)} (mean height)"


def with_interval(estimate: Estimate) -> str:
    """`0.42 ± 0.11 (95% interval over 3 seeds, Student t)`; a bootstrap's two ends, for they are not symmetric."""
    interval = estimate.interval
    if interval is None:
        return f"{number(estimate.mean)} (one seed: no interval)"
    over = f"95% interval over {estimate.seeds} seeds, {interval.method}"
    if interval.method is Method.STUDENT_T:
        return f"{number(estimate.mean)} ± {number(interval.high - estimate.mean)} ({over})"
    return f"{number(estimate.mean)}, {_range(interval)} ({over})"


def _rate(rate: Estimate) -> str:
    if rate.interval is None:
        return percent(rate.mean)
    low, high = max(0.0, rate.interval.low), min(1.0, rate.interval.high)
    return f"{percent(rate.mean)} ({percent(low)} to {percent(high)})"


def _rank(config: ConfigReport) -> str:
    """`1`, or `1=` where others share the rank; `-` without a score."""
    if config.rank is None:
        return "-"
    return f"{config.rank}=" if config.tied_with else str(config.rank)


def _differences(config: ConfigReport) -> str:
    return ", ".join(f"{key} {_setting(value)}" for key, value in config.differences.items())


def _setting(value: object) -> str:
    """A hyperparameter as configs write it: all digits, for 0.999 is not 1."""
    return hyperparameter(value, lambda each: f"{each:g}" if isinstance(each, float) else str(each))


def _mean(estimate: Estimate | None) -> str:
    return "-" if estimate is None else number(estimate.mean)


def _range(interval: Interval) -> str:
    return f"{number(interval.low)} to {number(interval.high)}"


def _interval(config: ConfigReport) -> str:
    score = config.score_estimate
    return _range(score.interval) if score is not None and score.interval is not None else "-"


def _wins(config: ConfigReport) -> str:
    return percent(config.score_win_rate.mean) if config.score_win_rate is not None else "-"


def _converged(config: ConfigReport) -> str:
    return "-" if config.steps_to_90 is None or config.is_dead else f"{config.steps_to_90:,.0f}"


def _seed(seed: SeedReport) -> str:
    score = "none" if seed.score is None else number(seed.score)
    status = "" if seed.status is RunStatus.COMPLETED else f" {seed.status if seed.has_begun else 'not started'}"
    return f"{score} (seed {seed.seed}{status})"


@dataclass(frozen=True, slots=True)
class _Column:
    heading: str
    cell: Callable[[ConfigReport], str]
    is_essential: bool = False
    is_figure: bool = True


def _difference_column(reference: Reference) -> _Column:
    def cell(config: ConfigReport) -> str:
        found = config.difference
        if found is None:
            return "-"
        return signed(found.mean) + ("" if found.interval is None else f" ({_range(found.interval)})")

    return _Column("To the base" if reference.is_base else "To the runner-up", cell)


_COLUMNS = (
    _Column("Rank", _rank, is_essential=True),
    _Column("Config", lambda config: config.name, is_essential=True, is_figure=False),
    _Column("Differs in", _differences, is_figure=False),
    _Column("Score", lambda config: _mean(config.score_estimate), is_essential=True),
    _Column("95% interval", _interval, is_essential=True),
    _Column("Wins", _wins, is_essential=True),
    _Column("90% at step", _converged),
)
