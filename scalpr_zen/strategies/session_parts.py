"""The parts of a tape in which a strategy starts anew: one session of one contract each."""

from __future__ import annotations

import numpy as np

from scalpr_zen.data.tape import Array, Tape


def session_parts(tape: Tape) -> tuple[Array, Array]:
    """Return the print ranges `start[k]:stop[k]` within one session and one segment.

    Returns
    -------
    start, stop : arrays of int64, shape (parts,)
        The parts cover the tape in order; a roll inside a session makes two parts of it.
    """
    start = np.union1d(tape.segments["start"], tape.sessions["start"])
    stop = np.union1d(tape.segments["stop"], tape.sessions["stop"])
    return start, stop
