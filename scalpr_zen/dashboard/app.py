"""The routes: every answer comes from the parameters of its request alone, and every error has one shape.

{"error": {"status": 400, "message": "take_profit must be >= 0.000000001, was -1.0"}}
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import traceback
from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import scalpr_zen
from scalpr_zen.base.errors import ParameterError, ScalprError
from scalpr_zen.base.params import Parameter, Parameters, declared
from scalpr_zen.dashboard.guard import COOKIE, POLICY, Address, refusal, token_fits
from scalpr_zen.dashboard.tape_window import Window, window
from scalpr_zen.dashboard.trades_page import COLUMNS, Page, page
from scalpr_zen.dashboard.workbench import ClientGone, Dropped, Job, Replaced, Workbench
from scalpr_zen.render.figures import THEMES, figures
from scalpr_zen.render.html_report import plotly_script
from scalpr_zen.render.tape_text import tape_lines
from scalpr_zen.runs.backtest import jsonable, tape_facts
from scalpr_zen.sections.baseline import BY_TRADE
from scalpr_zen.sections.statistics import STATISTICS
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.strategies.user_code import refuse_taken

P = TypeVar("P", bound=Parameters)

CLIENT_LEFT = 499
LATER = {
    "fills": (Workbench.with_fills, ("notes", "fills")),
    "monte_carlo": (Workbench.with_monte_carlo, ("monte_carlo",)),
    "checks": (Workbench.with_checks, ("notes", "random_entries", "prop_firm")),
}
"""What comes after the run, the most telling first: how it is made, and the sections of its answer."""
_PACKED_FROM = 1_000
_MIMETYPES = {"txt": "text/plain", "json": "application/json", "csv": "text/csv", "html": "text/html"}


def create_app(bench: Workbench, address: Address) -> Flask:
    """Return the dashboard of a tape as a WSGI application.

    Parameters
    ----------
    bench : Workbench
        The tape and its runs.
    address : Address
        Where it will be served; other Host headers are refused.

    Raises
    ------
    ParameterError
        If the strategy names a parameter as the requests do.
    """
    own = ["token", *(p.name for group in (Page, Window) for p in declared(group))]
    refuse_taken(bench.groups["strategy"], own, by="the dashboard")
    app = Flask(__name__, static_folder="static")
    app.url_map.merge_slashes = False  # a redirect would not be JSON
    app.before_request(lambda: _guard(address))
    app.after_request(_finish)
    app.register_error_handler(Exception, _error)
    only_get: dict[str, Any] = {"methods": ["GET"], "provide_automatic_options": False}
    for rule, view in _routes(bench).items():
        app.add_url_rule(rule, rule, view, **only_get)
    app.add_url_rule("/", "page", lambda: app.send_static_file("index.html"), **only_get)
    app.add_url_rule("/plotly.js", "plotly", _plotly, **only_get)
    return app


def _routes(bench: Workbench) -> dict[str, Any]:
    def about() -> Response:
        _no_query()
        return _json(_about(bench))

    def runs() -> Response:
        _no_query()
        return _json({"made": len(bench.runs), "runs": jsonable(bench.latest_runs())})

    def run() -> Response:
        result = bench.result(bench.job(_query()), _gone())
        values = jsonable(result.to_dict())
        return _json({"result": values, "figures": figures(values, ["series"])})

    def later(name: str) -> Response:
        make, sections = LATER[name]
        values = jsonable(make(bench, bench.job(_query()), _gone()).to_dict())
        return _json({**{section: values[section] for section in sections}, "figures": figures(values, sections)})

    def trades() -> Response:
        job, wanted = _split(bench, Page)
        return _json(page(bench.result(job, _gone()), wanted))

    def tape() -> Response:
        job, wanted = _split(bench, Window)
        return _json(window(bench.result(job, _gone()), bench.envelope(), wanted))

    def download(suffix: str) -> Response:
        job = bench.job(_query())
        result = bench.with_checks(job, _gone())
        return _file(result.text(suffix), suffix, f"{result.stem}_run_{bench.runs[job]['run']}")

    return {
        "/api/about": about,
        "/api/run": run,
        f"/api/<any({', '.join(LATER)}):name>": later,
        "/api/trades": trades,
        "/api/tape": tape,
        "/api/runs": runs,
        "/api/report.<any(txt, json, csv, html):suffix>": download,
    }


# Requests ----------------------------------------------------------------------------------------------


def _query() -> dict[str, str]:
    """Return the query of the request; a name stands for one value."""
    if twice := [name for name, values in request.args.lists() if len(values) > 1]:
        raise ParameterError(f"{twice[0]} is given more than once")
    return request.args.to_dict()


def _no_query() -> None:
    if query := _query():
        raise ParameterError(f"{next(iter(query))} is no parameter here: there are none")


def _split(bench: Workbench, group: type[P]) -> tuple[Job, P]:
    """Return the job and another group of parameters of the request."""
    query = _query()
    mine = {p.name: p.parsed(query.pop(p.name)) for p in declared(group) if p.name in query}
    return bench.job(query), group(**mine)


def _gone() -> ClientGone:
    """Return what tells whether the client of this request has left; of other servers than waitress nobody knows."""
    told: ClientGone = request.environ.get("waitress.client_disconnected", lambda: False)
    return told


def _guard(address: Address) -> Response | None:
    if why := refusal(address, request.host, dict(request.headers), request.path == "/" and request.method == "GET"):
        return _refuse(403, why)
    if address.token is None:
        return None
    given = request.args.get("token")
    if given is not None and token_fits(address, given) and request.path == "/":
        rest = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != "token"])
        response = Response(status=303, headers={"Location": f"/?{rest}" if rest else "/"})
        response.set_cookie(COOKIE, given, httponly=True, samesite="Lax")
        return response
    login = request.authorization
    bearer = login.token if login and login.type == "bearer" else None
    if not any(token_fits(address, known) for known in (request.cookies.get(COOKIE), bearer)):
        return _refuse(401, f"the token is missing or wrong: open {address.url}/?token=... once")
    return None


# Answers -----------------------------------------------------------------------------------------------


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    return Response(text, status, mimetype="application/json")


def _refuse(status: int, message: str) -> Response:
    return _json({"error": {"status": status, "message": message}}, status)


def _error(error: Exception) -> Response:
    if isinstance(error, HTTPException):
        response = _refuse(error.code or 500, f"{request.method} {request.path}: {error.name.lower()}")
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(error.valid_methods)
        return response
    if isinstance(error, Dropped):
        print(f"dropped, as its client has left: {request.full_path}", file=sys.stderr)
        return _refuse(CLIENT_LEFT, "the client has left")
    if isinstance(error, Replaced):
        return _refuse(409, str(error))
    if isinstance(error, ScalprError):
        return _refuse(400, str(error))
    traceback.print_exception(error, file=sys.stderr)
    return _refuse(500, f"internal error, told on the console: {type(error).__name__}")


def _finish(response: Response) -> Response:
    """Pack the answer and say how it may be used."""
    for name, value in POLICY.items():
        response.headers[name] = value
    if request.endpoint not in ("plotly", "static"):
        response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Encoding"
    if response.direct_passthrough or not request.accept_encodings["gzip"]:
        return response
    if response.mimetype in _MIMETYPES.values() and len(response.get_data()) > _PACKED_FROM:
        response.set_data(gzip.compress(response.get_data(), 4))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _plotly() -> Response:
    response = Response(plotly_script(), mimetype="text/javascript")
    response.headers["Cache-Control"] = "max-age=3600"
    return response


def _file(text: str, suffix: str, stem: str) -> Response:
    response = Response(text, mimetype=_MIMETYPES[suffix])
    response.headers.set("Content-Disposition", "attachment", filename=f"{stem}.{suffix}")
    return response


# What the page must know -------------------------------------------------------------------------------


def _about(bench: Workbench) -> dict[str, Any]:
    tape = bench.tape
    return {
        "version": scalpr_zen.__version__,
        "tape": {
            "path": bench.path.name,
            "root": tape.instrument.root,
            "name": tape.instrument.name,
            "synthetic": tape.synthetic,
            "prints": len(tape),
            "tick_size": tape.instrument.tick_size,
            "contracts": tape.segments["contract"].tolist(),
            "lines": list(tape_lines(tape_facts(tape))),
            "session_dates": [str(tape.sessions["date"][k]) for k in (0, -1)] if len(tape.sessions) else [],
        },
        "groups": [
            {
                "name": name,
                "title": group.__name__,
                "parameters": [_field(bench.offered(p), tape.instrument.tick_size) for p in declared(group)],
            }
            for name, group in bench.groups.items()
        ],
        "statistics": [
            {name: getattr(s, name) for name in ("key", "label", "unit", "definition", "target", "missing")}
            for s in STATISTICS
        ],
        "by_segment": BY_TRADE,
        "themes": THEMES,
        "log": {"columns": COLUMNS, "reasons": ["closed", *REASONS.values()]},
    }


def _field(parameter: Parameter, tick_size: float) -> dict[str, Any]:
    """Return what the form shows of a parameter; periods and distances have a slider too."""
    step = tick_size if parameter.unit == "points" else 1 if parameter.kind is int else None
    allowed = f"{parameter.unit_text}; {parameter.range_text}" if parameter.distance else parameter.range_text
    top = None
    if parameter.unit in ("points", "prints") and step and parameter.default and parameter.default > 0:
        top = min(10 * parameter.default, parameter.high or math.inf)
    return {
        "name": parameter.name,
        "kind": "distance" if parameter.distance else parameter.kind.__name__,
        "default": parameter.default,
        "unit": parameter.unit,
        "range": allowed,
        "low": parameter.low,
        "high": parameter.high,
        "choices": parameter.choices,
        "optional": parameter.optional,
        "none": parameter.none,
        "sentence": parameter.sentence,
        "step": step,
        "slider_to": top,
    }
