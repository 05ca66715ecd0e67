"""Command-line flags made from the parameter declarations."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem

from scalpr_zen.base.params import RENAMED, Parameter, Parameters, declared
from scalpr_zen.commands.console import output_aside
from scalpr_zen.strategies import EmaCrossover
from scalpr_zen.strategies.user_code import BUILT_IN, load_strategy, refuse_taken

STRATEGY = EmaCrossover.__name__


def options(*groups: type[Parameters]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command one option for each declared parameter of some groups."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        made_of = [_option(parameter) for group in groups for parameter in declared(group)]
        return functools.reduce(lambda wrapped, option: option(wrapped), reversed(made_of), function)

    return decorate


def not_empty(_: click.Context, param: click.Parameter, text: str | None) -> str | None:
    """Refuse an empty text: an unset shell variable must not run something else."""
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


strategy_option = click.option(
    "--strategy",
    default=STRATEGY,
    callback=not_empty,
    metavar="NAME|FILE.py:CLASS",
    help=f"{', '.join(BUILT_IN)}, or a class of your own file. [default: {STRATEGY}]",
)


def _refuse_renamed(args: list[str], own: list[str]) -> None:
    """Refuse the old name of a flag with its new one, unless the strategy has a parameter of that name."""
    for arg in args:
        name = arg.partition("=")[0].removeprefix("--no-").removeprefix("--").replace("-", "_")
        if arg.startswith("--") and name in RENAMED and name not in own:
            raise click.UsageError(f"--{name.replace('_', '-')} is called --{RENAMED[name].replace('_', '-')} now")


class WithStrategy(click.Command):
    """A command that has the flags of the strategy which its arguments name, and is called with its class."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Load the strategy first, as its flags depend on it."""
        parser = self.make_parser(ctx)
        parser.ignore_unknown_options = True  # those of the strategy, which is not known yet
        named, _, _ = parser.parse_args(list(args))
        with output_aside():
            kind = load_strategy(named.get("strategy") or STRATEGY)
        _refuse_renamed(args, [parameter.name for parameter in declared(kind)])
        fixed = self.get_params(ctx)
        refuse_taken(kind, [name for param in fixed for name in _names(param)])
        ctx.obj = kind
        return super().parse_args(ctx, args)

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the fixed flags and, behind `--strategy`, those of the strategy."""
        fixed = super().get_params(ctx)
        if ctx.obj is None:
            return fixed
        after = 1 + [param.name for param in fixed].index("strategy")
        return fixed[:after] + click.command()(options(ctx.obj)(lambda: None)).params + fixed[after:]

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command with the strategy's class."""
        ctx.params["strategy"] = ctx.obj
        return super().invoke(ctx)


def _names(param: click.Parameter) -> list[str]:
    """Return the name of an option, and those of parameters which would have its flags."""
    flags = [*param.opts, *param.secondary_opts]
    return [str(param.name), *(flag.removeprefix("--").replace("-", "_") for flag in flags)]
