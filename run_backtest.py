"""Backtest a strategy on a tape: set the parameters, then run this file."""

if __name__ == "__main__":
    from scalpr_zen.base.engine import exit_on_interrupt

    exit_on_interrupt()  # Ctrl-C is one line during the imports, too

from scalpr_zen.commands.backtest import run_script

# generated: parameters
FAST_EMA_PERIOD = 50  # prints; Period of the fast average.
SLOW_EMA_PERIOD = 200  # prints; Period of the slow average; no signal before it.
TP_POINTS = 10.0  # points; Distance of the take profit from the entry fill.
SL_POINTS = 5.0  # points; Distance of the stop loss from the entry fill.
POINT_VALUE = 20.0  # USD; USD of one point; none: the contract's own.
MONTE_CARLO_SIMS = 1000  # paths; Monte Carlo paths of each method.
TAPE = ""  # tape that preprocess.py made, "cache/nq.npz"; empty: the built-in demo market
# EmaCrossover, MomentumBurst, OpeningRange, OrderFlowImbalance, VwapReversion
STRATEGY = "EmaCrossover"  # or a class of your own file, "my_file.py:MyStrategy"
STRATEGY_PARAMETERS: dict[str, object] = {}  # of another strategy, {"burst_ticks": 8}; left out: the defaults
RESULTS_DIR = "results"  # folder of the report files
WRITE_CSV = False  # write the trades as CSV too
WRITE_HTML = False  # write the charts as one HTML file too
# A distance in points may be given in ticks: "8t" is 8 ticks.

# Bracket: Take profit and stop loss of every entry, and how the stop moves.
TAKE_PROFIT_SHORT = None  # points; Take profit of short trades; none: same as long.
STOP_LOSS_SHORT = None  # points; Stop loss of short trades; none: same as long.
TRAILING_STOP = None  # points; Distance at which the stop follows the best price since the entry.
TRAIL_ACTIVATION = 0.0  # points; Profit from which the stop trails.
TRAILING_STEP = None  # points; Step in which the trailing stop moves; none: one tick.
BREAK_EVEN_AT = None  # points; Profit at which the stop moves to break-even.
BREAK_EVEN_PLUS = 0  # ticks; Ticks beyond the entry fill at which break-even lies.

# Execution: How orders reach the exchange, how they fill, and what they cost.
ENTRY = "next"  # next | signal; Where the entry fills: the next event, or the signal's own print.
LATENCY_MS = 0.0  # ms; Time from a signal to the exchange.
SLIPPAGE_TICKS = 0  # ticks; Slippage of every market and stop fill.
COMMISSION = 0.0  # USD per contract and side; Commission and fees.
# What fills the take profit: its price, a print beyond it, or its turn in the queue.
TARGET_FILL = "touch"  # touch | through | queue
QUEUE_AHEAD = 20  # contracts; Contracts ahead of a take profit that waits in a queue.
STOP_FILL = "trigger"  # trigger | level | next; Where a stop fills: triggering print, stop price, next event.
ROLL_EXIT = "void"  # void | close; What happens to a trade open at a roll: void, or closed at the last print.
CONTRACTS = 1  # contracts; Contracts of each trade.
OVERLAP = False  # Trade every signal on its own, for studying signals.

# SessionRules: Which signals are traded, and what ends a trade or a session besides the bracket.
SIDES = "both"  # both | long | short; Sides that are traded.
REVERSE = False  # Trade every signal in the opposite direction.
ENTRY_WINDOWS = "all"  # Chicago times of signals that are traded: all, or 08:30-11:00, 13:00-15:00.
WEEKDAYS = "all"  # Weekdays of the session dates that are traded: all, or Mon-Thu, or Mon, Wed.
NO_ENTRY_BEFORE_CLOSE = None  # minutes; Time before a session's close in which no signal is traded.
FLAT_BEFORE_CLOSE = None  # minutes; Time before a session's close at which a position is closed.
MAX_HOLD = None  # seconds; Time after its entry at which a position is closed.
COOLDOWN = 0.0  # seconds; Time after an exit in which no signal of its session is traded.
MAX_TRADES = None  # trades; Most trades per session.
LOSS_LIMIT = None  # USD; Net loss at which trading stops for the session.
PROFIT_LIMIT = None  # USD; Net profit at which trading stops for the session.
LIMIT_BASIS = "realized"  # realized | equity; What the limits look at: closed trades, or also the open one.
INCOMPLETE_DATES = "exclude"  # exclude | include; Whether incomplete session dates count in by-day statistics.

# PessimisticCosts: The pessimistic costs of the fill table; never below those of the run.
PESSIMISTIC_COMMISSION = 2.5  # USD per contract and side; Commission of the pessimistic costs.
PESSIMISTIC_SLIPPAGE_TICKS = 1  # ticks; Slippage of the pessimistic costs.

# MonteCarlo: Number of paths and runs, and their seed.
RANDOM_ENTRY_SIMS = 1000  # runs; Runs of random entries that the strategy is compared with.
SEED = 0  # Seed of all random draws.

# PropFirm: Which evaluation of a prop firm the trades go through; none: the rule of the firm.
# Rules of the prop firm's evaluation.
# none | custom | apex-50k | apex-50k-legacy | topstep-50k | topstep-100k | topstep-150k | FILE.toml
PROP_FIRM = "topstep-50k"
PROP_ACCOUNT = None  # USD; Starting balance.
PROP_TARGET = None  # USD; Profit that passes.
PROP_DRAWDOWN = None  # USD; Distance of the floor below what it trails.
# What the floor trails: the balance at a day's end, or the peak of the open equity.
PROP_DRAWDOWN_KIND = None  # end_of_day | peak_equity
PROP_LOCK = None  # USD; Profit above which the floor does not rise; 1000000: it never locks.
PROP_DAILY_LOSS = None  # USD; Loss of a day that is a breach; 0: no limit.
PROP_DAILY_LOSS_BREACH = None  # day_over | bust; What that breach does.
PROP_MIN_DAYS = None  # days; Trading days before a pass.
PROP_CONSISTENCY = None  # share; Largest part of the profit that the best day may have; 1: any.
PROP_CONTRACTS = None  # contracts; Contracts that the firm allows; 0: any. Shown only.
PROP_SIMS = 1000  # paths; Paths of drawn session dates.
PROP_DAYS = 60  # session dates; Session dates of each such path.
# end

if __name__ == "__main__":
    run_script(globals())
