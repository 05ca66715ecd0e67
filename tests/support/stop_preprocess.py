"""Stop preprocess at many moments, each time in a forked child, and print what it left as lines of JSON.

    python stop_preprocess.py DATA_DIR TAPE MOMENTS

`kill` and `interrupt` send SIGKILL or SIGINT at evenly spaced calls of functions, in whichever thread; `full`
lets no file grow beyond a size, from nothing to just below the tape's. After each stop the next run is tried,
and the old tape is put back.
"""

import contextlib
import io
import json
import os
import resource
import signal
import sys
import threading
from pathlib import Path

from scalpr_zen import commands
from scalpr_zen.commands import console


def run(argv):
    commands.scalpr.main(argv, standalone_mode=False)


def run_quietly(argv):
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        run(argv)


class Counter:
    """A profile function that counts the calls and returns of all threads, and calls `stop` at one of them.

    A return is a moment of its own: an interrupt before that of `threading.Condition.__enter__` leaves the lock
    taken for ever, and a thread pool waiting.
    """

    def __init__(self, moment=None, stop=None):
        self.seen, self.moment, self.stop = 0, moment, stop

    def __call__(self, frame, event, argument):
        self.seen += 1  # threads may both count, or neither
        if self.moment is not None and self.seen >= self.moment:
            self.moment = None
            self.stop()

    def watch(self, command, argv):
        threading.setprofile(self)
        sys.setprofile(self)
        try:
            command(argv)
        finally:
            sys.setprofile(None)
            threading.setprofile(None)


def stopped(mode, moment, argv):
    """Run preprocess to its stop; return the exit code (minus the signal) and the text on stderr."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(write, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = 1
        signal.alarm(60)  # ends a child that hangs
        try:
            if mode == "full":
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (moment, resource.RLIM_INFINITY))
                console.main(lambda: run(argv))
            signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background ignores it
            number = signal.SIGKILL if mode == "kill" else signal.SIGINT
            counter = Counter(moment, lambda: os.kill(os.getpid(), number))
            console.main(lambda: counter.watch(run, argv))
        except SystemExit as end:
            code = end.code
        finally:
            sys.stderr.flush()
            os._exit(code)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), text


def main(data, tape, moments):
    tape, moments = Path(tape), int(moments)
    argv = ["preprocess", data, "--root", "NQ", "--out", str(tape), "--workers", "2"]
    old = tape.read_bytes()
    run_quietly(argv)
    new = tape.read_bytes()
    counter = Counter()
    counter.watch(run_quietly, argv)

    def others():
        return sorted(path.name for path in tape.parent.iterdir() if path != tape)

    for mode, total in (("kill", counter.seen), ("interrupt", counter.seen), ("full", len(new))):
        for number in range(moments):
            tape.write_bytes(old)
            code, text = stopped(mode, total * number // moments + (mode != "full"), argv)
            held, left = tape.read_bytes(), others()
            again = bool(left) or not number  # where nothing was left, the next run is as any first one
            if again:
                run_quietly(argv)
            line = {
                "mode": mode,
                "code": code,
                "stderr": text,
                "tape": "old" if held == old else "new" if held == new else "broken",
                "left": left,
                "next": ["new" if tape.read_bytes() == new else "broken", others()] if again else None,
            }
            print(json.dumps(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
