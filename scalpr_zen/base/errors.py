"""The exceptions of this package.

Every message is one line that a trader can act on: the parameter or file, the rule, the value it was, the next step.
The command line prints it after `error: ` and exits with code 2; Python callers catch `ScalprError`.
"""

import difflib
import errno
from collections.abc import Sequence

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def reason(error: OSError) -> str:
    """Return why the system refused to write, and the usual next step."""
    text = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return f"{text}: free some space there, or give another folder"
    return f"{text}: give a folder that you can write to" if error.errno in _NO_RIGHT else text


def nearest(name: str, known: Sequence[str]) -> str:
    """Return what to write instead of an unknown name."""
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"they are {', '.join(known)}"


class ScalprError(Exception):
    """An input, file or folder that this package refuses."""


class ParameterError(ScalprError):
    """A parameter out of its declared range, or parameters that contradict each other; `parameters` are their names."""

    def __init__(self, message: str, *parameters: str) -> None:
        super().__init__(message)
        self.parameters = parameters


class DataError(ScalprError):
    """A market data file, or a folder of them, that cannot be trusted."""


class StrategyError(ScalprError):
    """A strategy that cannot be loaded or created, raises an error, or returns no signals."""


class TapeError(ScalprError):
    """A tape file that is not complete, has another format, or cannot be written."""
