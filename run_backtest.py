"""Backtest a strategy on a tape: set the parameters, then run this file."""

if __name__ == "__main__":
    from scalpr_zen.engine import exit_on_interrupt

    exit_on_interrupt()  # Ctrl-C is one line during the imports, too

from scalpr_zen import Bracket, Execution, MonteCarlo, PessimisticCosts, PropFirm, SessionRules, Setup, cli

TAPE = ""  # tape that preprocess.py made, "cache/nq.npz"; empty: the built-in demo market
FAST_EMA_PERIOD = 50  # prints
SLOW_EMA_PERIOD = 200  # prints
TP_POINTS = 10.0  # take profit, points from the entry fill; "8t" is 8 ticks, here and for every distance in points
SL_POINTS = 5.0  # stop loss, points from the entry fill
POINT_VALUE = 20.00  # USD of one point of one contract; None: the contract's own
MONTE_CARLO_SIMS = 1000  # paths of each method
RESULTS_DIR = "results"  # folder of the report files
WRITE_CSV = False  # write the trades as CSV too
WRITE_HTML = False  # write the charts as one HTML file too
STRATEGY = "EmaCrossover"  # a built-in, or a class of your own file, "my_file.py:MyStrategy"
STRATEGY_PARAMETERS = {"fast_period": FAST_EMA_PERIOD, "slow_period": SLOW_EMA_PERIOD}  # left out: their defaults


def setup() -> Setup:
    """Return all the other parameters."""
    return Setup(
        bracket=Bracket(
            take_profit=TP_POINTS,
            stop_loss=SL_POINTS,
            take_profit_short=None,  # points, of short trades; None: as of long ones
            stop_loss_short=None,  # points, of short trades; None: as of long ones
            trailing_stop=None,  # points behind the best price since the entry; None: the stop does not trail
            trailing_from=0.0,  # points of profit from which it trails
            trailing_step=None,  # points, its steps; None: one tick
            break_even_at=None,  # points of profit at which the stop moves to break-even
            break_even_plus=0,  # ticks beyond the entry fill at which break-even lies
        ),
        execution=Execution(
            entry="next",  # next | signal (optimistic)
            latency_ms=0.0,  # ms from a signal to the exchange
            slippage_ticks=0,  # ticks of every market and stop fill
            commission=0.0,  # USD a contract and side
            target_fill="touch",  # touch | through | queue
            queue_ahead=20,  # contracts ahead of a take profit, for queue
            stop_fill="trigger",  # trigger | level (optimistic) | next
            roll_exit="void",  # void | close
            contracts=1,  # contracts of each trade
            point_value=POINT_VALUE,
            overlap=False,  # trade every signal on its own
        ),
        rules=SessionRules(
            sides="both",  # both | long | short
            invert=False,  # trade every signal the other way round
            entry_windows="all",  # Chicago times, "08:30-11:00, 13:00-15:00"
            weekdays="all",  # of the session dates, "Mon-Thu"
            no_entry_before_close=None,  # minutes
            flat_before_close=None,  # minutes
            longest_hold=None,  # seconds
            pause=0.0,  # seconds after an exit
            max_trades=None,  # trades a session
            loss_limit=None,  # USD a session
            profit_limit=None,  # USD a session
            limit_on="closed",  # closed | open
            incomplete_dates="exclude",  # exclude | include
        ),
        pessimistic=PessimisticCosts(
            pessimistic_commission=2.5,  # USD a contract and side
            pessimistic_slippage_ticks=1,  # ticks
        ),
        settings=MonteCarlo(
            monte_carlo_sims=MONTE_CARLO_SIMS,
            control_sims=1000,  # runs of random entries
            seed=0,
        ),
        firm=PropFirm(
            prop_firm="topstep-50k",  # none | custom | topstep-50k | -100k | -150k | apex-50k | apex-50k-legacy
            prop_account=None,  # USD; this and what follows: None: the firm's own
            prop_target=None,  # USD of profit
            prop_drawdown=None,  # USD
            prop_drawdown_kind=None,  # end_of_day | peak_equity
            prop_lock=None,  # USD of profit
            prop_daily_loss=None,  # USD; 0: no limit
            prop_daily_loss_breach=None,  # bust | day_over
            prop_min_days=None,  # days
            prop_consistency=None,  # share of the profit that the best day may have
            prop_contracts=None,  # contracts
            prop_sims=1000,  # paths of drawn session dates
            prop_days=60,  # session dates of each path
        ),
    )


def main() -> None:
    cli.backtest(
        TAPE,
        cli.strategy(STRATEGY, STRATEGY_PARAMETERS),
        setup(),
        out=RESULTS_DIR,
        csv=WRITE_CSV,
        html=WRITE_HTML,
    )


if __name__ == "__main__":
    cli.main(main)
