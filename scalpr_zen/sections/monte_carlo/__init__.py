"""Monte Carlo: the trades in random order, and session dates drawn with replacement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scalpr_zen.render.table import Block, Column, Row, Table, Words
from scalpr_zen.render.text import Values, number
from scalpr_zen.sections.monte_carlo.charts import CHARTS, ONE_DATE, ONE_TRADE
from scalpr_zen.sections.monte_carlo.paths import PERCENTILES, PROFITABLE, PROFITABLE_MEANS, MonteCarlo, monte_carlo
from scalpr_zen.sections.section import Run, Section

__all__ = ["SECTION", "MonteCarlo", "monte_carlo"]


def _compute(run: Run, _: Values) -> dict[str, Any]:
    trades = run.trades
    return monte_carlo(trades["net_usd"], trades["session"], len(run.tape.sessions), run.setup.settings, run.counted)


def _blocks(_: Run, values: Values) -> Iterator[Block]:
    paths = values["monte_carlo"]
    if not paths:
        yield Words(["n/a: it needs trades, and monte_carlo_sims above 0"])
        return
    permutation, days = paths["permutation"], paths["days"]
    yield Words([f"{paths['sims']:,} paths of each method, seed {paths['seed']}"])
    found = {
        "max drawdown, trades permuted": permutation.get("drawdown_usd"),
        "max drawdown, days drawn": days.get("drawdown_usd"),
        "net P&L, days drawn": days.get("profit_usd"),
    }
    columns = (Column("percentile", "text"), *(Column(f"{p}%", "usd") for p in PERCENTILES))
    yield Table(columns, [Row((label, *row.values()), key=label) for label, row in found.items() if row])
    said = []
    if permutation:
        rank, actual = permutation["actual_drawdown_rank"], permutation["actual_drawdown_usd"]
        said.append(f"actual max drawdown {number(actual, 'usd')}: above {number(rank, 'share')} of the permuted paths")
    else:
        said.append(f"trades permuted: n/a, {ONE_TRADE}")
    if days:
        said.append(f"days drawn: {number(days['profitable_share'], 'share')} {PROFITABLE} ({PROFITABLE_MEANS})")
    else:
        said.append(f"days drawn: n/a, {ONE_DATE}")
    yield Words(said)


_METHOD = {
    "bands_usd.*": "equity in USD at these points below which this percentage of the paths lies",
    "bands_usd.*[]": "equity in USD",
    "drawdown_usd.*": "max drawdown in USD below which this percentage of the paths lies",
    "drawdown_paths.edges_usd[]": "edges of the bins of the max drawdown in USD",
    "drawdown_paths.paths[]": "paths in each bin",
}

SECTION = Section(
    name="monte_carlo",
    order=50,
    title="Monte Carlo",
    later=True,
    groups=("bracket", "execution", "rules", "settings"),
    compute=_compute,
    blocks=_blocks,
    charts=CHARTS,
    fields={
        "sims": "paths of each method",
        "seed": "their seed",
        "permutation": "the trades in random order; empty for one trade",
        "permutation.trade[]": "trades closed, at the points of the bands",
        "permutation.actual_usd[]": "the actual equity at these points in USD",
        "permutation.actual_drawdown_usd": "the actual max drawdown in USD",
        "permutation.actual_drawdown_rank": "share of the paths with a smaller one",
        **{f"permutation.{key}": sentence for key, sentence in _METHOD.items()},
        "days": "session dates drawn with replacement; empty for fewer than two that count",
        "days.session_date[]": "session dates drawn, at the points of the bands",
        "days.profit_usd.*": "net P&L in USD below which this percentage of the paths ends",
        "days.profitable_share": f"share of the paths that end with a profit: {PROFITABLE_MEANS}",
        **{f"days.{key}": sentence for key, sentence in _METHOD.items()},
    },
)
