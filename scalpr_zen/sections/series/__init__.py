"""The trades by day, by trade, by hour and by outcome: what the charts draw."""

from scalpr_zen.sections.section import Section
from scalpr_zen.sections.series.charts import CHARTS
from scalpr_zen.sections.series.data import series

_GROUP = {"trades": "trades", "mean_usd": "their mean net P&L in USD", "net_usd": "their net P&L in USD"}

SECTION = Section(
    name="series",
    order=5,
    title="Charts",
    compute=lambda run, _: series(run.trades, run.tape, run.setup.execution, run.counted),
    charts=CHARTS,
    fields={
        "by_day.session_date[]": "session date",
        "by_day.net_usd[]": "net P&L of the trades that closed on it, in USD",
        "by_day.trades[]": "their number",
        "by_day.hold_usd[]": "what one contract held gained on it, in USD",
        "by_day.counted[]": "whether it counts in the by-day statistics",
        "by_trade.trade[]": "trades closed so far, at the points that a picture of the path needs",
        "by_trade.equity_usd[]": "net P&L after them",
        "by_trade.drawdown_usd[]": "its fall from its peak so far",
        "by_trade.hold_usd[]": "what one contract held had gained by then",
        "exits[].side": "long or short",
        "exits[].reason": "what ended the trades",
        **{f"exits[].{key}": sentence for key, sentence in _GROUP.items()},
        "results.from_usd[]": "least net P&L of a bin",
        "results.to_usd[]": "largest net P&L of a bin; no bin holds gains and losses",
        "results.trades[]": "trades in it",
        "hours[].hour": "hour of the entry in Chicago, 0 to 23",
        **{f"hours[].{key}": sentence for key, sentence in _GROUP.items()},
        "weekdays[].weekday": "weekday of the session date of the entry",
        **{f"weekdays[].{key}": sentence for key, sentence in _GROUP.items()},
        "excursions.mae_points[]": "middle of a column's MAE in points",
        "excursions.mfe_points[]": "middle of a row's MFE in points",
        "excursions.cell_points[]": "size of a cell in points: MAE, MFE",
        "excursions.trades[][]": "trades of a cell; the outermost cells hold all beyond",
        "holding.from_seconds[]": "shortest holding time of a bin",
        "holding.to_seconds[]": "holding times of a bin are below this",
        "holding.won[]": "trades of it that won",
        "holding.not_won[]": "trades of it that did not",
    },
)
