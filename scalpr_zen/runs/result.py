"""The result of a run: its data, and every way to read it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from scalpr_zen.base.arrays import Array
from scalpr_zen.base.errors import ScalprError
from scalpr_zen.data.tape import Tape
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import THEMES, Figure
from scalpr_zen.runs import html_report, report, trade_log
from scalpr_zen.runs.manifest import manifest
from scalpr_zen.runs.spec import RunSpec
from scalpr_zen.sections import by_notes, sections
from scalpr_zen.sections.section import Run

if TYPE_CHECKING:
    import pandas
    import plotly.graph_objects as go


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """The result of a run. `print` shows one screen, `full_text` every section; `to_dict` holds all but the trades.

    Attributes
    ----------
    spec : RunSpec
        What decides the result; `spec.key` is the identity of the run.
    run : Run
        The tape, the parameters, and the trades that they gave.
    values : dict
        The data of every section by name, `notes` and `manifest`.
    """

    spec: RunSpec
    run: Run
    values: dict[str, Any]

    @property
    def tape(self) -> Tape:
        """The prints."""
        return self.run.tape

    @property
    def trades(self) -> Array:
        """Closed trades in order of their exit, array of TRADE, shape (n,)."""
        return self.run.trades

    @property
    def unclosed(self) -> Array:
        """Void and open trades, out of all statistics, array of TRADE."""
        return self.run.simulation.unclosed

    def to_dict(self) -> dict[str, Any]:
        """Return plain data by section; docs/json.md describes each key."""
        return self.values

    def to_json(self) -> str:
        """Return `to_dict` as JSON of full precision; undefined values are null."""
        return json.dumps(jsonable(self.values), indent=1, allow_nan=False)

    def to_dataframe(self) -> pandas.DataFrame:
        """Return the closed trades as a pandas DataFrame with the columns of the CSV file; times are UTC."""
        import pandas as pd

        frame = pd.DataFrame(trade_log.columns(self.trades, self.tape, self.run.setup.execution))
        for name in ("entry_time", "exit_time"):
            frame[name] = pd.to_datetime(frame[name], utc=True)
        frame.attrs["synthetic"] = self.tape.synthetic
        return frame

    def figures(self) -> dict[str, go.Figure]:
        """Return every chart by name, as plotly figures.

        Raises
        ------
        ScalprError
            If plotly is not installed.
        """
        try:
            import plotly.graph_objects as go
        except ImportError:
            raise ScalprError("figures need plotly, which is not installed: pip install plotly") from None

        template = THEMES["light"]
        return {name: go.Figure(figure).update_layout(template=template) for name, figure in self.charts().items()}

    def charts(self, *names: str) -> dict[str, Figure]:
        """Return the charts of some sections by name, as plain data; of all sections where none is named."""
        values = jsonable(self.values)
        wanted = [section for name, section in sections().items() if name in (names or sections())]
        return {chart.name: chart.figure(values) for section in wanted for chart in section.charts}

    def html(self) -> str:
        """Return every section with its charts as one self-contained HTML page."""
        return html_report.page(self)

    @property
    def stem(self) -> str:
        """The name of its files without their suffix: `<UTC stamp>_<strategy>`."""
        stamp = datetime.fromisoformat(self.values["manifest"]["started"]).strftime("%Y%m%dT%H%M%SZ")
        return f"{stamp}_{self.run.strategy}"

    def text(self, suffix: str) -> str:
        """Return the file of a suffix: txt, json, csv or html."""
        parts: dict[str, Callable[[], Iterable[str]]] = {
            "txt": lambda: report.report(self),
            "json": lambda: [self.to_json()],
            "csv": lambda: [trade_log.csv_text(self.trades, self.tape, self.run.setup.execution)],
            "html": lambda: [self.html()],
        }
        return "\n".join([*parts[suffix](), ""])

    def full_text(self) -> str:
        """Return the screen and every section of the report."""
        return "\n".join(report.summary(self))

    def __str__(self) -> str:
        return "\n".join(report.screen(self))

    def _repr_html_(self) -> str:
        return html_report.notebook(self)

    def having(self, made: Mapping[str, tuple[Any, float]]) -> Result:
        """Return the result with more sections, each with its data and the seconds that it took."""
        values = self.values | {name: data for name, (data, _) in made.items()}
        values["notes"] = notes(self.run, values)
        about = values["manifest"]
        seconds = about["seconds"] | {name: took for name, (_, took) in made.items()}
        values["manifest"] = manifest(self.spec, self.tape, datetime.fromisoformat(about["started"]), seconds)
        return replace(self, values=values)


def notes(run: Run, values: Mapping[str, Any]) -> list[str]:
    """Return what a trader should know first."""
    return [note for section in by_notes() for note in section.notes(run, values)]
