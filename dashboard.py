"""Serve the dashboard of a tape at http://127.0.0.1:5001: set the parameters, then run this file."""

if __name__ == "__main__":
    from scalpr_zen.base.engine import exit_on_interrupt

    exit_on_interrupt()  # Ctrl-C is one line during the imports, too

from scalpr_zen.commands.console import main as run_main
from scalpr_zen.commands.dashboard import dashboard
from scalpr_zen.dashboard.guard import Address

TAPE = ""  # tape that preprocess.py made, "cache/nq.npz"; empty: the built-in demo market
STRATEGY = "EmaCrossover"  # a built-in, or a class of your own file, "my_file.py:MyStrategy"
PROP_FIRM = ""  # rules of your own, "my_firm.toml", that the page offers beside the others
HOST = "127.0.0.1"  # address of this machine to listen at
PORT = 5001


def main() -> None:
    dashboard(TAPE, Address(host=HOST, port=PORT), STRATEGY, PROP_FIRM)


if __name__ == "__main__":
    run_main(main)
