"""Backtest a strategy on a tape: set the parameters, then run this file."""

from scalpr_zen import Bracket, Execution, MonteCarlo, cli

TAPE = ""  # tape that preprocess.py made, "cache/nq.npz"; empty: the built-in demo market
STRATEGY = "EmaCrossover"  # a built-in, or a class of your own file, "my_file.py:MyStrategy"
STRATEGY_PARAMETERS = {"fast_period": 50, "slow_period": 200}  # prints; those left out have their defaults
TP_POINTS = 10.0  # take profit, points from the entry fill
SL_POINTS = 5.0  # stop loss, points from the entry fill
POINT_VALUE = 20.00  # USD of one point of one contract; None: the contract's own
CONTRACTS = 1  # contracts of each trade
COMMISSION = 0.0  # USD a contract and side
SLIPPAGE_TICKS = 0  # ticks of every market and stop fill
LATENCY_MS = 0.0  # ms from a signal to the exchange
ENTRY = "next"  # next | signal (optimistic)
TARGET_FILL = "touch"  # touch | through
STOP_FILL = "trigger"  # trigger | level (optimistic) | next
OVERLAP = False  # trade every signal on its own
MONTE_CARLO_SIMS = 1000  # paths of each method
SEED = 0  # seed of the random paths
RESULTS_DIR = "results"  # folder of the report files
WRITE_CSV = False  # write the trades as CSV too
WRITE_HTML = False  # write the charts as one HTML file too


def main() -> None:
    cli.backtest(
        TAPE,
        cli.strategy(STRATEGY, STRATEGY_PARAMETERS),
        Bracket(take_profit=TP_POINTS, stop_loss=SL_POINTS),
        Execution(
            entry=ENTRY,
            latency_ms=LATENCY_MS,
            slippage_ticks=SLIPPAGE_TICKS,
            commission=COMMISSION,
            target_fill=TARGET_FILL,
            stop_fill=STOP_FILL,
            contracts=CONTRACTS,
            point_value=POINT_VALUE,
            overlap=OVERLAP,
        ),
        MonteCarlo(monte_carlo_sims=MONTE_CARLO_SIMS, seed=SEED),
        out=RESULTS_DIR,
        csv=WRITE_CSV,
        html=WRITE_HTML,
    )


if __name__ == "__main__":
    cli.main(main)
