"""The charts: one dict of results as Plotly figures, for the dashboard, the HTML page and notebooks.

A figure is plain data, `{"data": [...], "layout": {...}}`, and needs no plotly to be made. It carries no theme:
`THEMES` are layout templates for a dark and a light page. The colours of the traces are legible on both, and
blue and orange, which colour-blind eyes tell apart; a loss is hatched or signed too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from scalpr_zen.render.figures import checks, paths, trades
from scalpr_zen.render.figures.style import FONT, HOLD, LOSS, SYNTHETIC, THEMES, Figure, Values
from scalpr_zen.sections.monte_carlo import PROFITABLE_MEANS

__all__ = ["CHARTS", "FONT", "HOLD", "LOSS", "THEMES", "Chart", "Figure", "figures"]


@dataclass(frozen=True)
class Chart:
    """One chart: its name, its title, what it shows in a sentence, and how it is drawn."""

    name: str
    title: str
    sentence: str
    draw: Callable[[Values], Figure]
    section: str = "series"
    """The section of a result that it waits for; `series` is there as soon as the trades are."""


def figures(result: Values, sections: Collection[str] | None = None) -> dict[str, Figure]:
    """Return the figures of a result by name, in the order of CHARTS.

    Parameters
    ----------
    result : mapping
        As `Result.to_json` holds it: undefined values are None.
    sections : collection of str, optional
        Only the charts that wait for one of these sections. Default: all.
    """
    made = {}
    for chart in CHARTS:
        if sections is None or chart.section in sections:
            figure = chart.draw(result)
            figure["layout"] |= {"title": {"text": chart.title}, "meta": {"sentence": chart.sentence}}
            if result["tape"]["synthetic"]:
                figure["layout"].setdefault("annotations", []).append(SYNTHETIC)
            made[chart.name] = figure
    return made


CHARTS = (
    Chart(
        "equity_by_day",
        "Equity by session date",
        "Net P&L after each session date, buy & hold of one contract, and the fall from the peak of daily equity.",
        trades.equity_by_day,
    ),
    Chart(
        "equity_by_trade",
        "Equity by trade",
        "Net P&L after each trade, buy & hold at the time of its exit, and the fall from the peak.",
        trades.equity_by_trade,
    ),
    Chart("exits", "Exits", "Trades by what ended them and by side.", trades.exits),
    Chart(
        "results",
        "Net P&L of the trades",
        "How many trades gave which net P&L; the scale of counts is log.",
        trades.results,
    ),
    Chart("calendar", "Daily P&L", "Net P&L of each session date; + and - are gain and loss.", trades.calendar),
    Chart(
        "hours",
        "Hour of day",
        "Mean net P&L and number of the trades by the Chicago hour of their entry.",
        trades.hours,
    ),
    Chart(
        "weekdays",
        "Day of week",
        "Mean net P&L and number of the trades by the weekday of the session date of their entry.",
        trades.weekdays,
    ),
    Chart("months", "Months", "Net P&L by the month of the session date of the exit.", trades.months),
    Chart(
        "excursions",
        "MAE against MFE",
        "Trades by their worst and best excursion from the entry fill until the exit.",
        trades.excursions,
    ),
    Chart("holding", "Holding time", "Trades by the time from entry to exit.", trades.holding),
    Chart(
        "paths_permuted",
        "Monte Carlo: trades permuted",
        "Equity of the trades in random order: 5, 25, 50, 75, 95 percent of the paths, and the actual one.",
        paths.paths_permuted,
        "monte_carlo",
    ),
    Chart(
        "paths_of_days",
        "Monte Carlo: session dates drawn",
        "Equity of session dates drawn with replacement: 5, 25, 50, 75, 95 percent of the paths, and the actual one. "
        f"The share that ends with a profit is {PROFITABLE_MEANS}.",
        paths.paths_of_days,
        "monte_carlo",
    ),
    Chart(
        "drawdowns",
        "Monte Carlo: max drawdown",
        "Max drawdown of the paths of both methods, and the actual one.",
        paths.drawdowns,
        "monte_carlo",
    ),
    Chart(
        "slippage",
        "Measured slippage",
        "Ticks that entries and stops lost against the print or price that triggered them; shares of the trades.",
        checks.slippage,
        "fills",
    ),
    Chart(
        "random_entries",
        "Random entries",
        "Net P&L of runs of random entries with the same bracket, costs and hours, and that of the strategy.",
        checks.random_entries,
        "random_entries",
    ),
    Chart(
        "prop_firm",
        "Prop-firm evaluation",
        "Balance and floor at the end of each session date, attempt after attempt, and the balance that passes.",
        checks.evaluation,
        "prop_firm",
    ),
)
