"""The files of a result: either all of them appear, complete, or none does."""

from __future__ import annotations

import contextlib
import glob
import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from scalpr_zen.base.atomic import new_folder
from scalpr_zen.base.errors import ScalprError, reason
from scalpr_zen.runs.result import Result


def save(result: Result, folder: str | Path, *, csv: bool = False, html: bool = False) -> list[Path]:
    """Write the report, the JSON and, if wanted, the CSV and the HTML page of a result; return their paths.

    The stem is `<UTC stamp>_<strategy>`, followed by a number if another run has that stem. Either all files
    appear, complete, or none does.

    Raises
    ------
    ScalprError
        If the folder cannot be written.
    """
    folder = Path(folder)
    suffixes = ["txt", "json"] + ["csv"] * csv + ["html"] * html
    try:
        with new_folder(folder), _reserved(folder, result.stem) as (stem, aside):
            paths = [folder / f"{stem}.{suffix}" for suffix in suffixes]
            for suffix in suffixes:
                (aside / suffix).write_text(result.text(suffix), encoding="utf-8", newline="\n")
            try:
                for path in paths:
                    os.replace(aside / path.suffix[1:], path)
            except BaseException:
                for path in paths:
                    path.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise ScalprError(f"{folder} cannot be written: {reason(error)}") from None
    return paths


@contextlib.contextmanager
def _reserved(folder: Path, stem: str) -> Iterator[tuple[str, Path]]:
    """Give a stem that no other run has or can get in the meantime, and a hidden, temporary folder for its files.

    Creating that folder reserves the stem: of all threads and processes that try, only one succeeds.
    """
    for number in itertools.count(1):
        name = stem if number == 1 else f"{stem}_{number}"
        aside = folder / f".{name}.part"
        try:
            aside.mkdir()
        except FileExistsError:
            continue
        try:
            if not any(folder.glob(f"{glob.escape(name)}.*")):
                yield name, aside
                return
        finally:
            shutil.rmtree(aside, ignore_errors=True)
