"""The SHA-256 of a strategy's source: its file and the modules beside it that it imports."""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from modulefinder import ModuleFinder
from pathlib import Path
from types import CodeType
from typing import Any

from scalpr_zen.base.params import declared

_PACKAGE = Path(__file__).parents[1]
_RECORDED = "__source_sha256__"
"""Attribute of a loaded module that holds its digest: the file may change while the process runs."""


def strategy_sha256(strategy: Any) -> str | None:
    """Return the SHA-256 of the source that decides a strategy's signals, or None where no source does.

    For a class in a file it covers the file and every module beside it that it imports, directly or indirectly, but not
    imports by name at run time (`importlib`) or data files. For a built-in it covers its module; the version of the
    package covers the rest.

    None if the source cannot be read, or if the object holds more than its declared parameters: two such objects of
    one class may give different signals.
    """
    kind = type(strategy)
    if set(getattr(strategy, "__dict__", ())) - {parameter.name for parameter in declared(kind)}:
        return None
    module = sys.modules.get(kind.__module__)
    if recorded := getattr(module, _RECORDED, None):
        return str(recorded)
    try:
        if file := getattr(module, "__file__", None):
            record_source(module, Path(file))
            return getattr(module, _RECORDED, None)
        return hashlib.sha256(inspect.getsource(kind).encode()).hexdigest()  # a notebook has no file
    except (OSError, TypeError):
        return None


def record_source(module: Any, file: Path) -> None:
    """Store the digest of a file, as it is now, in the module loaded from it."""
    with contextlib.suppress(OSError):
        setattr(module, _RECORDED, source_sha256(file))


def source_sha256(file: Path) -> str:
    """Return the SHA-256 of a file and of the modules beside it that it imports, names of these modules included.

    Raises
    ------
    OSError
        If one of them cannot be read.
    """
    folder, whole = file.parent, hashlib.sha256()
    todo, contents = [file], {}
    while todo:
        path = todo.pop()
        if path in contents:
            continue
        contents[path] = path.read_bytes()
        if _PACKAGE not in path.parents:
            todo += _imported(path, contents[path], folder)
    named = {"" if path == file else path.relative_to(folder).as_posix(): contents[path] for path in contents}
    for name in sorted(named):
        whole.update(f"{name}\0{hashlib.sha256(named[name]).hexdigest()}\n".encode())
    return whole.hexdigest()


def _imported(path: Path, content: bytes, folder: Path) -> Iterator[Path]:
    """Yield the files in a folder that a module imports anywhere in its code.

    The imports are read from compiled code: `ast.parse` in several threads raises SystemError in Python 3.11.
    """
    try:
        code = compile(content, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return
    for level, names, module in _imports(code):
        base = path.parents[level - 1] if level else folder
        if base == folder or folder in base.parents:
            parts = module.split(".") if module else []
            for last in [[name] for name in names] or [[]]:
                yield from _files(base, [*parts, *last], absolute=not level)


def _imports(code: CodeType) -> Iterator[tuple[int, Sequence[str], str]]:
    """Yield level, names and module of each import in some code, its functions and classes included."""
    for kind, found in ModuleFinder().scan_opcodes(code):
        if kind == "absolute_import":
            names, module = found
            yield 0, names or (), module
        elif kind == "relative_import":
            level, names, module = found
            yield level, names or (), module
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _imports(inner)


def _files(base: Path, parts: list[str], absolute: bool) -> Iterator[Path]:
    """Yield the files of a dotted name below a folder: its packages and its module."""
    if absolute and not _is_beside(parts[0], base):
        return
    for part in parts:
        yield from (path for path in (base / f"{part}.py", base / part / "__init__.py") if path.is_file())
        base /= part


def _is_beside(name: str, folder: Path) -> bool:
    """Return whether Python finds the module of this name in the folder; installed modules come first."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return True
    if spec is None or not spec.origin:
        return True
    found = Path(spec.origin).resolve()
    return name != _PACKAGE.name and found in {
        (folder / f"{name}.py").resolve(),
        (folder / name / "__init__.py").resolve(),
    }
