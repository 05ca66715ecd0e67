"""The routes: every answer comes from the parameters of its request alone, and every error has one shape.

{"error": {"status": 400, "message": "take_profit must be >= 0.000000001, was -1.0", "parameters": ["take_profit"]}}
"""

from __future__ import annotations

import gzip
import json
import math
import sys
import traceback
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import scalpr_zen
from scalpr_zen.base.errors import ParameterError, ScalprError
from scalpr_zen.base.params import Parameter, Parameters, declared
from scalpr_zen.dashboard.guard import COOKIE, POLICY, Address, refusal, token_fits
from scalpr_zen.dashboard.sections import listed, run_answer, section_answer
from scalpr_zen.dashboard.tape_window import Window, window
from scalpr_zen.dashboard.trades_page import COLUMNS, TEXTS, Page, heading, page
from scalpr_zen.dashboard.workbench import ClientGone, Dropped, Job, Replaced, Workbench
from scalpr_zen.render.data import jsonable
from scalpr_zen.render.figure import THEMES
from scalpr_zen.runs.html_report import PLOTLY, resource
from scalpr_zen.runs.result import Result
from scalpr_zen.sections import sections
from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.strategies.user_code import refuse_taken

P = TypeVar("P", bound=Parameters)

CLIENT_LEFT = 499
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
        If a parameter of the strategy has the name of one of the requests'.
    """
    own = ["token", "pin", *(p.name for group in (Page, Window) for p in declared(group))]
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
    for path, name, kind in (("/plotly.js", PLOTLY, "text/javascript"), ("/look.css", "look.css", "text/css")):
        app.add_url_rule(path, path[1:], partial(_resource, name, kind), **only_get)
    return app


def _routes(bench: Workbench) -> dict[str, Any]:
    def about() -> Response:
        _no_query()
        return _json(_about(bench))

    def runs() -> Response:
        _no_query()
        return _json({"made": len(bench.runs), "runs": jsonable(bench.latest_runs())})

    def run() -> Response:
        query, other = _pinned(bench)
        return _json(run_answer(bench.result(bench.job(query), _gone()), other))

    def section(name: str) -> Response:
        query, other = _pinned(bench)
        job, later = bench.job(query), sections()[name].later
        result = bench.section(job, name, _gone()) if later else bench.result(job, _gone())
        return _json(section_answer(result, name, other))

    def trades() -> Response:
        job, wanted = _split(bench, Page)
        return _json(page(bench.result(job, _gone()), wanted))

    def tape() -> Response:
        job, wanted = _split(bench, Window)
        return _json(window(bench.result(job, _gone()), wanted))

    def download(suffix: str) -> Response:
        job = bench.job(_query())
        result = bench.whole(job, _gone())
        return _file(result.text(suffix), suffix, f"{result.stem}_run_{bench.runs[job]['run']}")

    return {
        "/api/about": about,
        "/api/run": run,
        f"/api/section/<any({', '.join(sections())}):name>": section,
        "/api/trades": trades,
        "/api/tape": tape,
        "/api/runs": runs,
        "/api/report.<any(txt, json, csv, html):suffix>": download,
    }


# Requests ----------------------------------------------------------------------------------------------


def _query() -> dict[str, str]:
    """Return the query of the request; a name stands for one value."""
    return _once(list(request.args.items(multi=True)))


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    if twice := [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]:
        raise ParameterError(f"{twice[0]} is given more than once", twice[0])
    return dict(pairs)


def _pinned(bench: Workbench) -> tuple[dict[str, str], Result | None]:
    """Return the query of the request without `pin`, the query of another run, and the result of that run."""
    query = _query()
    if (pin := query.pop("pin", None)) is None:
        return query, None
    try:
        return query, bench.result(bench.job(_once(parse_qsl(pin, keep_blank_values=True))), _gone())
    except Replaced:
        raise
    except ScalprError as error:
        raise ParameterError(f"pin is no run: {error}", "pin") from None


def _no_query() -> None:
    if query := _query():
        raise ParameterError(f"{next(iter(query))} is no parameter here: there are none", next(iter(query)))


def _split(bench: Workbench, group: type[P]) -> tuple[Job, P]:
    """Return the job and another group of parameters of the request."""
    query = _query()
    mine = {p.name: p.parsed(query.pop(p.name)) for p in declared(group) if p.name in query}
    return bench.job(query), group(**mine)


def _gone() -> ClientGone:
    """Return a function that says whether the client of this request has left; only waitress can say."""
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


def _refuse(status: int, message: str, parameters: Sequence[str] = ()) -> Response:
    return _json({"error": {"status": status, "message": message, "parameters": list(parameters)}}, status)


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
        return _refuse(400, str(error), getattr(error, "parameters", ()))
    traceback.print_exception(error, file=sys.stderr)
    return _refuse(500, f"internal error, printed on the console: {type(error).__name__}")


def _finish(response: Response) -> Response:
    """Pack the answer and say how it may be used."""
    for name, value in POLICY.items():
        response.headers[name] = value
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Vary"] = "Accept-Encoding"
    if response.direct_passthrough or not request.accept_encodings["gzip"]:
        return response
    if response.mimetype in _MIMETYPES.values() and len(response.get_data()) > _PACKED_FROM:
        response.set_data(gzip.compress(response.get_data(), 4))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _resource(name: str, kind: str) -> Response:
    response = Response(resource(name), mimetype=kind)
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
            "session_dates": [str(tape.sessions["date"][k]) for k in (0, -1)] if len(tape.sessions) else [],
        },
        "groups": [
            {
                "name": name,
                "title": group.TITLE or group.__name__,
                "parameters": [_field(bench.offered(p), tape.instrument.tick_size) for p in declared(group)],
            }
            for name, group in bench.groups.items()
        ],
        "sections": listed(),
        "themes": THEMES,
        "log": {
            "columns": [{"name": name, "label": heading(name), "text": name in TEXTS} for name in COLUMNS],
            "reasons": ["closed", *REASONS.values()],
        },
    }


def _field(parameter: Parameter, tick_size: float) -> dict[str, Any]:
    """Return what the form shows of a parameter; periods and distances have a slider too."""
    step = tick_size if parameter.unit == "points" else 1 if parameter.kind is int else None
    allowed = f"{parameter.unit_text}; {parameter.range_text}" if parameter.distance else parameter.range_text
    top = None
    if parameter.unit in ("points", "prints") and step and parameter.default and parameter.default > 0:
        top = min(10 * parameter.default, parameter.high or math.inf)
    kind = "distance" if parameter.distance else parameter.kind.__name__
    return asdict(parameter) | {"kind": kind, "range": allowed, "step": step, "slider_to": top}
