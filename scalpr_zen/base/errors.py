"""One exception tree: what went wrong, which rule, what the value was, what to do next.

Every message is one line that a trader can act on. The command line prints it after `error: ` and
ends with exit code 2; Python callers catch `ScalprError`.
"""

import errno

_NO_ROOM = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
_NO_RIGHT = {errno.EACCES, errno.EPERM, errno.EROFS}


def reason(error: OSError) -> str:
    """Return why the system refused to write, and the next step where there is a usual one."""
    text = error.strerror or str(error)
    if error.errno in _NO_ROOM:
        return f"{text}: free some space there, or give another folder"
    return f"{text}: give a folder that you may write to" if error.errno in _NO_RIGHT else text


class ScalprError(Exception):
    """Any input, file or place that this package refuses."""


class ParameterError(ScalprError):
    """A parameter out of its declared range, or parameters that contradict each other."""


class DataError(ScalprError):
    """A market data file, or a folder of them, that cannot be trusted."""


class StrategyError(ScalprError):
    """A strategy that cannot be loaded or made, raises an error, or gives no signals; names the line of its file."""


class TapeError(ScalprError):
    """A tape file that is not whole, not of this format, or cannot be written."""
