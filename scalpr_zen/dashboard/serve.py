"""Serve the dashboard with waitress until it is interrupted."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from waitress.server import create_server
from waitress.task import ThreadedTaskDispatcher

from scalpr_zen.base.errors import ScalprError
from scalpr_zen.dashboard.app import create_app
from scalpr_zen.dashboard.guard import Address
from scalpr_zen.dashboard.workbench import Workbench

THREADS = 12
PATIENCE = 3.0
"""Seconds that the first page may wait for its run before it is served without."""


class _Dispatcher(ThreadedTaskDispatcher):
    """Answers requests, and does not wait for those in progress when Ctrl-C ends the server: a run may last hours."""

    logger = logging.getLogger("waitress.scalpr_zen")
    logger.setLevel(logging.ERROR)  # its warning counts the threads that it would have waited for

    def shutdown(self, cancel_pending: bool = True, timeout: int = 0) -> bool:
        return bool(super().shutdown(cancel_pending, timeout))


def serve(bench: Workbench, address: Address, say: Callable[[str], None]) -> None:
    """Serve until Ctrl-C.

    The first page will ask for the default run. It is made before the server listens, because run and browser
    together take longer than one after the other; a run that lasts longer than PATIENCE continues in the background.

    Raises
    ------
    ScalprError
        If the port is in use or the address is not one of this machine.
    """
    first = threading.Thread(target=_warm, args=[bench], daemon=True)
    first.start()
    app = create_app(bench, address)
    dispatcher = _Dispatcher()
    dispatcher.set_thread_count(THREADS)
    try:
        server = create_server(
            app,
            host=address.host,
            port=address.port,
            threads=THREADS,
            _dispatcher=dispatcher,
            channel_request_lookahead=1,  # so that a client that left is noticed
            max_request_body_size=1_024,  # there is no body to send
            ident=None,
            clear_untrusted_proxy_headers=True,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ScalprError(
            f"{address.host} port {address.port}: {reason}; is another dashboard open there? --port N uses another port"
        ) from None
    first.join(PATIENCE)
    if first.is_alive():
        say("the first run goes on (where the compiled code is missing, it is made now)")
    with contextlib.suppress(KeyboardInterrupt):
        say(f"dashboard: {address.url}  (Ctrl-C ends it)")
        server.run()


def _warm(bench: Workbench) -> None:
    """Run the defaults, as the first page will ask for them."""
    with contextlib.suppress(ScalprError):  # the page will be told
        bench.result(bench.job({}), lambda: False)
