"""Rules 18 to 36 on random tapes: the fast simulator equals its slow twin, and rules 15 to 17 hold.

The random tapes are short and hostile: several prints an event, rolls, closes that lie among the prints, times that go
on by nothing, by ms, by minutes and by days; every rule is on in some cases and off in others, so that any two meet.
"""

import dataclasses
import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from itertools import product

from hypothesis import given
from hypothesis import strategies as st
from support import naive
from support.both import CHICAGO, HOUR, MINUTE, MS, SECOND, Market, Rules, by_fast, by_naive, ns_of
from support.budget import LONG, budget, examples

from scalpr_zen.simulation.kernel import REASONS
from scalpr_zen.simulation.simulate import simulate, trades_sha256

MANY = examples(600)
REASON_TEXTS = (
    *("target", "stop", "break_even", "trailing", "close", "hold", "loss_limit", "profit_limit"),
    *("roll", "void", "open"),
)

# The generators ---------------------------------------------------------------------------------------

# Each print is six bytes, one a column; a value that stands in a table more often is drawn more often.
GAPS_NS = [
    *[0] * 14,
    *[1, 7, MS // 2, MS - 1, MS + 1],
    *[MS] * 6,
    *[2 * MS, 2 * MS, 5 * MS],
    *[SECOND] * 4,
    *[20 * SECOND, MINUTE, MINUTE, 4 * MINUTE, 4 * MINUTE, 15 * MINUTE, HOUR],
    *[23 * HOUR, 24 * HOUR, 25 * HOUR, 49 * HOUR],
]
STEPS_TICKS = [0] * 6 + [-1, 1] * 6 + [-2, 2] * 3 + [-3, 3, -4, 4, -9, 9, -20, 20]
SIDES = [0, 0, 1, -1]
AGGRESSORS = [0, 1, -1]
SIZES = [1, 1, 1, 2, 3, 5, 8]
ROLLS = [False] * 24 + [True]
COLUMNS = (GAPS_NS, STEPS_TICKS, SIDES, AGGRESSORS, SIZES, ROLLS)

# Most of the trades on a tape of these last for hundreds of prints.
STEADY_GAPS_NS = [0] * 40 + [1, 7, MS // 2] + [MS] * 40 + [2 * MS] * 10 + [SECOND] * 6 + [20 * SECOND] * 3 + [MINUTE]
STEADY = (
    [*STEADY_GAPS_NS, *STEADY_GAPS_NS, 17 * HOUR],
    [0] * 40 + [-1, 1] * 40 + [-2, 2] * 5 + [-6, 6],
    [0] * 60 + [1, -1],
    AGGRESSORS,
    SIZES,
    [False] * 254 + [True],
)

STARTS = [
    *["2025-01-15 08:25", "2025-01-15 15:43", "2025-01-14 16:57", "2025-01-12 16:59", "2025-01-17 15:50"],
    *["2025-03-07 15:50", "2025-10-31 15:50", "2025-01-14 21:58", "2025-01-15 12:00"],
    # A few ns before a session date ends; the next one has 24, 23 and 25 hours.
    *["2025-01-14 16:59:59.999999986", "2025-03-08 16:59:59.999999993", "2025-11-01 16:59:59.999999999"],
]
CLOSES = [(16, 0), (16, 0), (12, 15), (12, 0), (15, 45), (8, 30)]
"""Closes of session dates, hour and minute."""


def market_from(data, start, closes, price, columns=COLUMNS):
    """The market of some bytes."""
    ts = ns_of(start)
    month = 0
    market = Market([], [], [], [], [], [])
    for i in range(0, len(data), len(columns)):
        row = zip(columns, data[i : i + len(columns)], strict=True)
        gap, step, signal, aggressor, size, roll = (column[byte % len(column)] for column, byte in row)
        ts, price, month = ts + gap, price + step + 100 * roll, month + roll
        market.ts.append(ts)
        market.prices.append(price)
        market.sizes.append(size)
        market.aggressors.append(aggressor)
        market.contracts.append(f"NQ{month}")
        market.signals.append(signal)
    for day in sorted(set(market.days())):
        hour, minute = CLOSES[closes[day.day % len(closes)] % len(CLOSES)]
        close = datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHICAGO)
        market.closes[day] = int(close.timestamp()) * SECOND
    return market


@st.composite
def markets(draw):
    prints = draw(st.integers(1, 50))
    data = draw(st.binary(min_size=len(COLUMNS) * prints, max_size=len(COLUMNS) * prints))
    closes = draw(st.binary(min_size=7, max_size=7))
    return market_from(data, draw(st.sampled_from(STARTS)), closes, draw(st.sampled_from([0, 80_000, -3])))


def some(values, off=None, share=2):
    """Values of a rule that is off in `share` of as many cases."""
    return [off] * (share * len(values)) + list(values)


CHOICES = {
    "take_profit": [1, 2, 3, 5, 8, 30],
    "stop_loss": [1, 2, 3, 5, 8, 30],
    "take_profit_short": some([1, 4, 30]),
    "stop_loss_short": some([1, 4, 30]),
    "trailing_stop": some([1, 2, 3, 6], share=1),
    "trail_activation": [0, 0, 1, 2, 4],
    "trailing_step": [None, 1, 2, 3],
    "break_even_at": [None, None, 1, 2, 3, 5],
    "break_even_plus": [0, 0, 1, 2, 4],
    "entry": ["next", "next", "next", "signal"],
    "latency_ns": [0, 0, 0, 1, MS, 3 * MS, SECOND, 60 * SECOND],
    "slippage_ticks": [0, 0, 1, 2],
    "target_fill": ["touch", "through", "queue", "queue"],
    "stop_fill": ["trigger", "level", "next"],
    "queue_ahead": [0, 1, 2, 3, 5, 9],
    "roll_exit": ["void", "close"],
    "overlap": [False, False, False, True],
    "sides": ["both", "both", "both", "long", "short"],
    "reverse": [False, False, True],
    "entry_windows": some(
        [
            (("08:30", "15:50"),),
            (("15:45", "16:00"), ("16:30", "18:00")),
            (("22:00", "02:00"), ("08:26", "09:00")),
            (("17:00", "16:00"),),
            (("16:58", "17:01"), ("12:00", "16:58")),
            (("22:00", "24:00"), ("00:00", "17:00")),
        ],
        "all",
    ),
    "weekdays": some([("Wed",), ("Mon", "Tue", "Thu"), ("Fri", "Mon")], "all"),
    "no_entry_ns": some([600 * MS, MINUTE, 10 * MINUTE, 2 * HOUR]),
    "flat_ns": some([600 * MS, MINUTE, 10 * MINUTE, 2 * HOUR]),
    "hold_ns": some([MS, 2 * MS, SECOND, 30 * SECOND, 5 * MINUTE]),
    "cooldown_ns": some([1, MS, 3 * MS, SECOND, MINUTE], 0),
    "max_trades": some([1, 2, 3]),
    "loss_limit": some([1.0, 5.0, 10.0, 14.1, 30.0, 70.0]),
    "profit_limit": some([1.0, 5.0, 10.0, 15.9, 30.0, 70.0]),
    "limit_basis": ["realized", "equity", "equity"],
    "contracts": [1, 1, 2, 3],
    "commission": [0.0, 0.0, 1.25, 2.05],
}


def rules_from(chosen):
    """The rules of one choice each; what the parameters would refuse together is taken away."""
    rules = Rules(**chosen)
    if rules.overlap:
        off = {"cooldown_ns": 0, "max_trades": None, "loss_limit": None, "profit_limit": None}
        rules = dataclasses.replace(rules, **off)
    if rules.loss_limit is None and rules.profit_limit is None:
        rules = dataclasses.replace(rules, limit_basis="realized")
    if rules.trailing_stop is None:
        rules = dataclasses.replace(rules, trail_activation=0, trailing_step=None)
    if rules.break_even_at is None or rules.break_even_plus >= rules.break_even_at:
        rules = dataclasses.replace(rules, break_even_plus=0)
    return rules


def every_rule():
    """One byte a choice."""
    rules = st.binary(min_size=len(CHOICES), max_size=len(CHOICES))
    return rules.map(lambda data: rules_from(dict(zip(CHOICES, map(chosen, CHOICES.values(), data), strict=True))))


def chosen(values, byte):
    return values[byte % len(values)]


def random_case(seed):
    """A market and rules of a seed."""
    rng = random.Random(seed)
    data = rng.randbytes(len(COLUMNS) * rng.choice([10, 30, 50]))
    market = market_from(data, rng.choice(STARTS), rng.randbytes(7), 80_000)
    chosen = {name: rng.choice(values) for name, values in CHOICES.items()}
    if seed % 8 == 0:  # a moved stop under way when another one is triggered is rare by chance
        moves = {"break_even_at": rng.choice([None, 1]), "trailing_stop": rng.choice([1, 2, 3]), "trail_activation": 0}
        chosen |= moves | {"stop_fill": "next", "latency_ns": rng.choice([MS, 3 * MS, 8 * MS]), "take_profit": 30}
    return market, rules_from(chosen)


STEADY_CHOICES = CHOICES | {
    "take_profit": [5, 40, 300, 300],
    "stop_loss": [5, 40, 300, 300],
    "take_profit_short": some([8, 300]),
    "stop_loss_short": some([8, 300]),
    "trailing_stop": some([6, 15, 40]),
    "trail_activation": [0, 0, 5, 20],
    "break_even_at": some([5, 10, 20]),
    "sides": ["both", "both", "both", "long"],
    "entry_windows": some(CHOICES["entry_windows"][-1:], "all", share=6),
    "weekdays": some([("Wed",)], "all", share=6),
    "no_entry_ns": some([MINUTE], share=4),
    "flat_ns": some([MINUTE, 10 * MINUTE], share=1),
    "hold_ns": some([SECOND, MINUTE, 2 * MINUTE, 4 * MINUTE]),
    "max_trades": some([1, 3]),
    "loss_limit": [None, 50.0, 100.0, 100.0, 200.0],
    "profit_limit": [None, 50.0, 100.0, 100.0, 200.0],
    "limit_basis": ["realized", "equity", "equity", "equity", "equity"],
    "queue_ahead": [0, 5, 20],
}


def steady_case(seed):
    """A market of several hundred prints and rules that leave a trade open for long."""
    rng = random.Random(seed)
    data = rng.randbytes(len(STEADY) * 500)
    start = rng.choice([*STARTS, "2025-01-15 15:43", "2025-01-15 08:25"])
    market = market_from(data, start, rng.randbytes(7), 80_000, STEADY)
    return market, rules_from({name: rng.choice(values) for name, values in STEADY_CHOICES.items()})


# The slow twin ----------------------------------------------------------------------------------------


@MANY
@given(markets(), every_rule())
def test_the_simulator_equals_its_slow_twin_under_every_rule(market, rules):
    assert by_fast(market, rules) == by_naive(market, rules)


def features(market, rules, closed, unclosed, counts):
    """What a case shows."""
    yield from (name for name, n in counts.items() if n)
    days = market.days()
    on = [name for name, values in CHOICES.items() if getattr(rules, name) != values[0]]
    for row in closed + unclosed:
        reason = row["reason"]
        yield from ((reason, row["side"]), (reason, rules.entry), (reason, "latency", rules.latency_ns > 0))
        yield from ((reason, name) for name in on)
        if days[row["entry"]] != days[row["exit"]]:
            yield reason, "in a later session date"
    for refusal in ("outside", "ignored", "session_over", "in_cooldown"):
        if counts[refusal]:
            yield from ((refusal, name) for name in on)


NEEDS_ONE_POSITION = {"cooldown_ns", "max_trades", "loss_limit", "profit_limit", "limit_basis"}


def expected_features():
    yield from naive.COUNTS
    yield from product(REASON_TEXTS, (1, -1, "next", "signal", "in a later session date"))
    yield from product(REASON_TEXTS, ["latency"], (False, True))
    limits = ("loss_limit", "profit_limit")
    for reason, name in product(REASON_TEXTS, CHOICES):
        if name not in ("take_profit", "stop_loss") and not (reason in limits and name == "overlap"):
            yield reason, name
    yield from product(["session_over", "in_cooldown"], NEEDS_ONE_POSITION)


def test_random_cases_equal_the_slow_twin_and_reach_every_reason_under_every_rule():
    cases = Counter()
    for seed in range(budget(2_000)):
        market, rules = random_case(seed)
        expected = by_naive(market, rules)
        assert by_fast(market, rules) == expected, seed
        cases.update(set(features(market, rules, *expected)))
    assert not LONG or set(expected_features()) - set(cases) == set()


def test_trades_that_last_for_hundreds_of_prints_equal_the_slow_twin_and_end_for_every_reason():
    lasted = Counter()
    for seed in range(budget(200)):
        market, rules = steady_case(seed)
        expected = by_naive(market, rules)
        assert by_fast(market, rules) == expected, seed
        lasted.update(row["reason"] for rows in expected[:2] for row in rows if row["exit"] - row["entry"] > 130)
    assert not LONG or set(lasted) == set(REASON_TEXTS)


def test_every_reason_has_a_name():
    assert set(REASONS.values()) == set(REASON_TEXTS)


# Rule 15: identity ------------------------------------------------------------------------------------


def hash_of(case):
    market, rules = case
    simulation = simulate(market.tape(), market.given(), *rules.fast())
    return trades_sha256(simulation.trades), trades_sha256(simulation.unclosed), simulation.counts


def test_rule_15_the_trades_are_the_same_for_any_number_of_threads():
    cases = [random_case(seed) for seed in range(50)]
    expected = [hash_of(case) for case in cases]
    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(hash_of, cases)) == expected


# Rule 16: the past stays ------------------------------------------------------------------------------


@examples(30)
@given(markets(), every_rule())
def test_rule_16_cutting_the_tape_changes_no_trade_closed_before_the_cut(market, rules):
    # That a contract has rolled is known by the print after its last one.
    whole, _, _ = by_fast(market, rules)
    for cut in range(1, len(market.ts)):
        got, _, _ = by_fast(market.cut(cut), rules)
        expected = [
            row for row in whole if row["exit"] < cut and not (row["reason"] == "roll" and row["exit"] == cut - 1)
        ]
        assert got == expected


# Rule 17: mirror and shift ----------------------------------------------------------------------------


def mirrored(rules):
    """The rules of the mirrored market: distances and sides change places."""
    take_profit_short = rules.take_profit if rules.take_profit_short is None else rules.take_profit_short
    stop_loss_short = rules.stop_loss if rules.stop_loss_short is None else rules.stop_loss_short
    return dataclasses.replace(
        rules,
        take_profit=take_profit_short,
        stop_loss=stop_loss_short,
        take_profit_short=rules.take_profit,
        stop_loss_short=rules.stop_loss,
        sides={"both": "both", "long": "short", "short": "long"}[rules.sides],
    )


def moved(rows, side=1, ticks=0):
    """The rows of the mirrored or the shifted market."""
    prices = {name: (lambda x: side * x + ticks) for name in ("entry_ticks", "exit_ticks")}
    return [
        row | {"side": side * row["side"]} | {name: move(row[name]) for name, move in prices.items()} for row in rows
    ]


@MANY
@given(markets(), every_rule())
def test_rule_17_negated_prices_and_swapped_sides_mirror_the_trades(market, rules):
    closed, unclosed, counts = by_fast(market, rules)
    got = by_fast(market.mirrored(), mirrored(rules))
    expected = moved(closed, side=-1), moved(unclosed, side=-1), counts
    assert got == expected


@given(markets(), every_rule())
def test_rule_17_with_invert_the_opposite_signals_give_the_same_trades(market, rules):
    other = dataclasses.replace(market, signals=[-signal for signal in market.signals])
    assert by_fast(other, dataclasses.replace(rules, reverse=not rules.reverse)) == by_fast(market, rules)


@given(markets(), every_rule(), st.sampled_from([1, -7, 99_999, -(10**8), 9 * 10**8]))
def test_rule_17_whole_ticks_added_to_all_prices_shift_the_trades(market, rules, ticks):
    closed, unclosed, counts = by_fast(market, rules)
    got = by_fast(market.shifted(ticks), rules)
    expected = moved(closed, ticks=ticks), moved(unclosed, ticks=ticks), counts
    assert got == expected
