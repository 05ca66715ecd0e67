"""The faces: what the scripts call, and the command line made from the parameter declarations."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

import click
from click.shell_completion import CompletionItem

import scalpr_zen
from scalpr_zen import report
from scalpr_zen.backtest import Strategy, run_setup, save, tape_facts
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.engine import Engine, end_at_once, end_with_workers, raise_on_interrupt
from scalpr_zen.errors import ScalprError, TapeError, reason
from scalpr_zen.ingest.front_month import ROLLS, Roll, parse_schedule
from scalpr_zen.instruments import Instrument, instrument, parse_instrument
from scalpr_zen.params import Parameter, Parameters, declared
from scalpr_zen.setup import GROUPS, Setup
from scalpr_zen.spec import make_run
from scalpr_zen.strategies import EmaCrossover
from scalpr_zen.strategies.load import BUILT_IN, load_strategy, make_strategy, refuse_taken
from scalpr_zen.strategies.new import write_strategy
from scalpr_zen.tape import Tape

DEMO_FOLDER, DEMO_TAPE = Path("cache/demo"), Path("cache/demo.npz")
DEMO_SESSIONS = 10
STRATEGY = EmaCrossover.__name__


# What the scripts and the commands do -----------------------------------------------------------------


def backtest(
    tape: str | Path | None,
    strategy: Strategy,
    setup: Setup,
    *,
    out: str | Path = "results",
    csv: bool = False,
    html: bool = False,
    as_json: bool = False,
) -> None:
    """Run a backtest, print its summary (or its JSON) and write its report files.

    It is printed first, so that a report that cannot be saved is not lost. Without a tape the demo market is used, and
    made first where it is missing.
    """
    with _aside():
        result = run_setup(Tape.open(tape or demo_tape()), strategy, setup)
    paths, failed = [], []
    try:
        show(result.to_json() if as_json else str(result))
    except ScalprError as error:
        failed.append(str(error))
    try:
        paths = save(result, out, csv=csv, html=html)
    except ScalprError as error:
        failed.append(f"the report is not saved: {error}")
    say("")
    for path in paths:
        say(f"written: {path}")
    if failed:
        raise ScalprError("; ".join(failed))


def preprocess(
    paths: Sequence[str | Path],
    contract: Instrument,
    out: str | Path,
    roll: Roll,
) -> None:
    """Turn a folder of DBN files into a tape and print what is in it."""
    from scalpr_zen.ingest.preprocess import preprocess as ingest

    with _progress("reading") as tick:
        path = ingest(paths, contract, out, roll=roll, progress=tick)
    info(path)
    say(f"written: {path}")


def info(path: str | Path) -> None:
    """Check every byte of a tape, and print all that is known about it."""
    tape = Tape.open(path, recheck=True)
    show("\n".join(_info_lines(tape)))


def demo(folder: str | Path, sessions: int, seed: int) -> None:
    """Write the demo market's DBN files."""
    from scalpr_zen.ingest.demo import write_demo

    with _progress("making the demo market") as tick:
        paths = write_demo(Path(folder), sessions, seed, progress=tick)
    say(f"written: {len(paths)} DBN files of {sessions} SYNTHETIC sessions in {folder}")


def strategy(text: str, parameters: Mapping[str, Any]) -> Strategy:
    """Return the strategy that a text names, `OpeningRange` or `my_file.py:MyStrategy`, with these parameters."""
    made: Strategy = make_strategy(load_strategy(text), parameters)
    return made


def dashboard(
    tape: str | Path | None, address: Address, strategy: str = STRATEGY, prop_firm: str | None = None
) -> None:
    """Serve the dashboard of a tape until Ctrl-C; without one, that of the demo market."""
    from scalpr_zen.dashboard.serve import serve
    from scalpr_zen.dashboard.workbench import Workbench

    kind = load_strategy(strategy)
    serve(Workbench(Path(tape or demo_tape()), kind, prop_firm or ""), address, say)


def verify(tape: str | Path | None, strategy: Strategy, setup: Setup, cuts: int, seed: int) -> None:
    """Look on a tape for look-ahead of a strategy: name the first print that differs, or tell what was compared."""
    from scalpr_zen.verify import verify as prove

    with _progress("cutting the tape") as tick, _aside():
        done = prove(Tape.open(tape or demo_tape()), strategy, setup, cuts=cuts, seed=seed, progress=tick)
    if not done.signals:
        raise ScalprError("nothing to compare: the strategy gives no signal on this tape")
    counted = f"{done.signals:,} signals and {done.trades:,} trades"
    near = f"{done.near:,} signals" if done.near else "no signal: who leaves signals out would not be seen"
    show(
        f"no look-ahead found: {counted} are the same before each of {done.cuts} cuts, "
        f"the signals of short stretches before each of {done.dense:,}, among them {near}"
    )


def demo_tape() -> Path:
    """Return the path of the demo market's tape, made where it is missing or of another version."""
    if not _opens(DEMO_TAPE):
        from scalpr_zen.ingest.preprocess import preprocess as ingest

        say(f"no tape given: building the built-in demo market ({DEMO_SESSIONS} SYNTHETIC sessions) in {DEMO_FOLDER}")
        demo(DEMO_FOLDER, DEMO_SESSIONS, seed=0)
        ingest([DEMO_FOLDER], instrument("NQ"), DEMO_TAPE)
    return DEMO_TAPE


def _opens(path: Path) -> bool:
    """Return whether a file is a tape made by this version."""
    try:
        return bool(Tape.open(path).metadata.get("version") == scalpr_zen.__version__)
    except TapeError:
        return False


def show(text: str) -> None:
    """Print a result.

    Raises
    ------
    ScalprError
        If stdout cannot be written: a file on a full disk, or a pipe whose reader has left.
    """
    try:
        click.echo(text)
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):  # what is buffered must not fail once more at the exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ScalprError(f"stdout cannot be written: {reason(error)}") from None


def say(text: str) -> None:
    """Print a line for the person at the console; stdout stays for results."""
    click.echo(text, err=True)


def main(command: Callable[[], Any]) -> NoReturn:
    """Run a face; whatever it refuses becomes one line `error: ...` and exit code 2.

    After an interrupt a process of its own, one that began with `exit_on_interrupt`, ends at once.
    """
    own = False
    try:
        own = raise_on_interrupt()
        command()
    except click.ClickException as error:
        _fail(error.format_message())
    except ScalprError as error:
        _fail(str(error))
    except OSError as error:
        _fail(f"{error.filename or 'a file or a pipe'}: {reason(error)}")
    except (KeyboardInterrupt, click.Abort):
        if own:
            _say_error("interrupted")
            end_at_once(2)
        _fail("interrupted")
    _leave(0)


def _fail(message: str) -> NoReturn:
    _say_error(message)
    _leave(2)


def _say_error(message: str) -> None:
    say("error: " + " ".join(message.split()))


def _leave(code: int) -> NoReturn:
    atexit.register(end_with_workers, code)
    sys.exit(code)


def _info_lines(tape: Tape) -> Iterator[str]:
    facts = tape_facts(tape)
    yield from (f"NOTE {note}" for note in report.tape_notes(facts))
    yield from report.tape_lines(facts)
    yield ""
    yield "SEGMENTS"
    for row in tape.segments:
        yield f"  {row['contract']:<16}{row['stop'] - row['start']:>16,} prints"
    yield "SOURCES"
    for source in tape.metadata.get("sources", []):
        yield f"  {source['name']:<44}{source['records']:>14,} records{source['bytes']:>16,} bytes  {source['sha256']}"
    for name in tape.metadata.get("ignored_files", []):
        why = "a folder in the folder, give it too to read it" if "/" in name else "no DBN file"
        yield f"  {name:<44}  ignored: {why}"


def _aside() -> contextlib.AbstractContextManager[Any]:
    """Send to stderr what a strategy prints: stdout stays for results."""
    return contextlib.redirect_stdout(sys.stderr)


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on stderr, where that is a terminal."""
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


# The command line -------------------------------------------------------------------------------------


def entry_point() -> NoReturn:
    """Run `scalpr`."""
    main(lambda: scalpr.main(standalone_mode=False))


def options(*groups: type[Parameters]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command one option for each declared parameter of some groups."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        made_of = [_option(parameter) for group in groups for parameter in declared(group)]
        return functools.reduce(lambda wrapped, option: option(wrapped), reversed(made_of), function)

    return decorate


def _some(_: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Refuse an empty text: a variable of the shell that is not set must not run something else."""
    if text == "":
        raise click.UsageError(f"the {param.name} must not be empty: leave it out for the default")
    return text


class _Value(click.ParamType):  # type: ignore[type-arg]
    """A value of a declared parameter, read as every face reads it."""

    def __init__(self, parameter: Parameter) -> None:
        self.choices = parameter.choices
        name = {int: "integer", float: "float"}.get(parameter.kind, "text")
        self.name = "distance" if parameter.distance else name
        self._parameter = parameter

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return self._parameter.parsed(value) if isinstance(value, str) else value

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


def _option(parameter: Parameter) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    choice = parameter.choices and not (parameter.optional or parameter.file)
    facts = [parameter.unit_text, "" if choice else parameter.range_text]
    default = "none" if parameter.default is None else str(parameter.default).lower()
    about = "; ".join([fact for fact in facts if fact] + [f"default {default}"])
    text = f"{parameter.sentence} [{about}]"
    if parameter.kind is bool:
        flags = f"{parameter.flag}/--no-{parameter.flag[2:]}"
        return click.option(flags, default=parameter.default, help=text)
    kind = click.Choice(parameter.choices) if choice else _Value(parameter)
    return click.option(parameter.flag, parameter.name, type=kind, default=parameter.default, help=text)


_STRATEGY = click.option(
    "--strategy",
    default=STRATEGY,
    callback=_some,
    metavar="NAME|FILE.py:CLASS",
    help=f"{', '.join(BUILT_IN)}, or a class of your own file. [default: {STRATEGY}]",
)


_OF_TRADES = [GROUPS[name] for name in ("bracket", "execution", "rules")]


class _WithStrategy(click.Command):
    """A command that has the flags of the strategy which its arguments name, and is called with its class."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True  # those of the strategy, which is not known yet
        named, _, _ = parser.parse_args(list(args))
        with _aside():
            kind = load_strategy(named.get("strategy") or STRATEGY)
        fixed = self.get_params(ctx)
        refuse_taken(kind, [name for param in fixed for name in _names(param)])
        ctx.obj = kind
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        fixed = super().get_params(ctx)
        if ctx.obj is None:
            return fixed
        after = 1 + [param.name for param in fixed].index("strategy")
        return fixed[:after] + click.command()(options(ctx.obj)(lambda: None)).params + fixed[after:]

    def invoke(self, ctx: click.Context) -> Any:
        ctx.params["strategy"] = ctx.obj
        return super().invoke(ctx)


def _names(param: click.Parameter) -> list[str]:
    """Return the name of an option, and those of parameters which would have its flags."""
    flags = [*param.opts, *param.secondary_opts]
    return [str(param.name), *(flag.removeprefix("--").replace("-", "_") for flag in flags)]


@click.group(
    invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(scalpr_zen.__version__, prog_name="scalpr")
@click.pass_context
def scalpr(context: click.Context) -> None:
    """Tick-level backtests of scalping strategies on CME Globex futures."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@scalpr.command("demo")
@click.option(
    "--sessions", type=click.IntRange(1, 1_260), default=DEMO_SESSIONS, show_default=True, help="Session dates."
)
@click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of all that is drawn."
)
@click.option("--out", default=str(DEMO_FOLDER), callback=_some, show_default=True, help="Folder of the DBN files.")
def demo_command(sessions: int, seed: int, out: str) -> None:
    """Write DBN files of a SYNTHETIC market: two NQ expiries, their spread, a roll."""
    demo(out, sessions, seed)
    say(f"next: scalpr preprocess {out} --root NQ --out {DEMO_TAPE.as_posix()}")


@scalpr.command("preprocess")
@click.argument("data", nargs=-1, required=True, metavar="DATA_DIR...")
@click.option("--root", help="Root of the contracts, one of the built-in table: NQ, ES, CL, ...")
@click.option(
    "--instrument",
    "own",
    help='Another contract in one line: "ROOT TICK_SIZE POINT_VALUE [EXCHANGE [ROLL_MONTHS [CALENDAR]]]".',
)
@click.option("--out", callback=_some, help="The tape. [default: cache/<root>.npz]")
@click.option("--roll", type=click.Choice(ROLLS), help="How the front month is chosen. [default: volume]")
@click.option(
    "--roll-days", type=int, default=Roll.days, show_default=True, help="Business days before expiry, for calendar."
)
@click.option(
    "--schedule", help='Contracts and first session dates, or a file of them: "NQZ4 2024-09-16, NQH5 2024-12-16".'
)
@click.option("--workers", type=click.IntRange(1, 256), help="Threads. [default: one a core]")
def preprocess_command(
    data: tuple[str, ...],
    root: str | None,
    own: str | None,
    out: str | None,
    roll: str | None,
    roll_days: int,
    schedule: str | None,
    workers: int | None,
) -> None:
    """Turn folders of Databento trades files into one front-month tape."""
    if (root is None) == (own is None):
        raise click.UsageError("give either --root or --instrument")
    contract = instrument(root) if root else parse_instrument(own or "")
    rule = Roll(
        rule=roll or ("schedule" if schedule else "volume"),
        days=roll_days,
        schedule=parse_schedule(schedule) if schedule else (),
    )
    with Engine(workers):
        preprocess(data, contract, out or f"cache/{contract.root.lower()}.npz", rule)


@scalpr.command("backtest", cls=_WithStrategy)
@click.option("--tape", callback=_some, help="The tape. [default: the demo market, made once]")
@_STRATEGY
@options(*GROUPS.values())
@click.option("--out", default="results", callback=_some, show_default=True, help="Folder of the report files.")
@click.option("--csv", is_flag=True, help="Write the trades as CSV too.")
@click.option("--html", is_flag=True, help="Write the charts as one HTML file too.")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON instead of the summary.")
def backtest_command(
    strategy: type[Any], tape: str | None, out: str, csv: bool, html: bool, as_json: bool, **given: Any
) -> None:
    """Run a strategy over a tape and write the report."""
    backtest(tape, *make_run(strategy, given), out=out, csv=csv, html=html, as_json=as_json)


@scalpr.command("verify", cls=_WithStrategy)
@click.argument("tape", required=False, callback=_some)
@_STRATEGY
@options(*_OF_TRADES)
@click.option("--cuts", type=click.IntRange(1, 10_000), default=20, show_default=True, help="Cuts of the tape.")
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the cuts.")
def verify_command(strategy: type[Any], tape: str | None, cuts: int, seed: int, **given: Any) -> None:
    """Look for look-ahead in a strategy: cut the tape and demand the same before each cut."""
    verify(tape, *make_run(strategy, given), cuts, seed)


@scalpr.command("dashboard")
@click.argument("tape", required=False, callback=_some)
@_STRATEGY
@click.option(
    "--prop-firm", callback=_some, metavar="FILE.toml", help="Rules of your own that the page offers beside the others."
)
@click.option("--host", default=Address.host, show_default=True, help="Address of this machine to listen at.")
@click.option("--port", type=click.IntRange(1, 65_535), default=Address.port, show_default=True, help="Port.")
@click.option("--expose", is_flag=True, help="Allow a host that other machines can reach; needs a token.")
@click.option("--token", envvar="SCALPR_TOKEN", help="What every request must carry. [env: SCALPR_TOKEN]")
def dashboard_command(
    tape: str | None, strategy: str, prop_firm: str | None, host: str, port: int, expose: bool, token: str | None
) -> None:
    """Serve the dashboard of a tape, or of the demo market."""
    dashboard(tape, Address(host=host, port=port, expose=expose, token=token), strategy, prop_firm)


@scalpr.command("new-strategy")
@click.argument("name")
@click.option("--folder", default=".", show_default=True, help="Folder of the file.")
def new_strategy_command(name: str, folder: str) -> None:
    """Write a small strategy of your own, whole and commented: my_idea gives my_idea.py with the class MyIdea."""
    path, kind = write_strategy(name, folder)
    say(f"written: {path}")
    named = f"{path}:{kind}"
    named = f'"{named}"' if " " in named else named
    say(f"next: scalpr backtest --strategy {named}")
    say(f"      scalpr backtest --strategy {named} --help")
    say(f"      scalpr dashboard --strategy {named}")


@scalpr.command("info")
@click.argument("tape")
@click.option("--json", "as_json", is_flag=True, help="Print the tape's metadata as JSON.")
def info_command(tape: str, as_json: bool) -> None:
    """Check every byte of a tape, and print all that is known about it."""
    if as_json:
        opened = Tape.open(tape, recheck=True)
        show(json.dumps(opened.metadata | {"incomplete": opened.incomplete}, indent=1))
    else:
        info(tape)
