"""Turn a folder of Databento trades files into the front-month tape: set the parameters, then run this file."""

if __name__ == "__main__":
    from scalpr_zen.base.engine import exit_on_interrupt

    exit_on_interrupt()  # Ctrl-C is one line during the imports, too

from scalpr_zen import instrument
from scalpr_zen.commands.console import main as run_main
from scalpr_zen.commands.preprocess import preprocess
from scalpr_zen.data.front_month import Roll, parse_schedule

DATA_DIR = "data"  # folder of *.trades.dbn or *.dbn.zst files
ROOT = "NQ"  # root of the contracts; all roots: docs/instruments.md
OUT = "cache/nq.npz"  # the tape
ROLL = "volume"  # volume | calendar | schedule
ROLL_DAYS = 4  # calendar: business days before expiry
SCHEDULE = ""  # schedule: "NQZ4 2024-09-16, NQH5 2024-12-16", or a file of such lines


def main() -> None:
    roll = Roll(rule=ROLL, days=ROLL_DAYS, schedule=parse_schedule(SCHEDULE) if SCHEDULE else ())
    preprocess([DATA_DIR], instrument(ROOT), OUT, roll)


if __name__ == "__main__":
    run_main(main)
