"""Session dates that the prints miss or do not cover: which they are, what leaves them out, and what the notes say."""

import json
from datetime import date, timedelta

import numpy as np
import pytest
from support.dbn_files import chicago, trade, utc, write_day
from support.tapes import Given, signals_of

from scalpr_zen import (
    Bracket,
    Execution,
    MonteCarlo,
    PropFirm,
    SessionRules,
    Tape,
    TapeError,
    instrument,
    run,
    save_tape,
)
from scalpr_zen.data.preprocess import preprocess
from scalpr_zen.sections.monte_carlo.charts import ONE_DATE
from scalpr_zen.sections.monte_carlo.paths import monte_carlo

MINUTE = 60 * 10**9
WEEK = ["2024-12-02", "2024-12-03", "2024-12-04", "2024-12-05", "2024-12-06"]
NQ = instrument("NQ")


def session_times(day, first="17:00", last="15:59", step=30):
    """A print every `step` minutes of a session, and one at its last minute."""
    eve = str(date.fromisoformat(day) - timedelta(days=1))
    start = chicago(f"{eve if first >= '17:00' else day} {first}")
    stop = chicago(f"{eve if last >= '17:00' else day} {last}")
    return [*range(start, stop, step * MINUTE), stop]


def of_utc_days(times, days):
    return [t for t in times if str(np.datetime64(t, "ns").astype("M8[D]")) in days]


def tape_of_times(times, root="NQ", prices=None, **about):
    return Tape.from_prints(times, prices or [80_000] * len(times), instrument=instrument(root), **about)


def whole_dates(tape):
    return [str(day) for day in tape.sessions["date"][tape.sessions["whole"]]]


# Which dates are whole -----------------------------------------------------------------------------------


@pytest.mark.parametrize("week", [WEEK, ["2024-07-08", "2024-07-09", "2024-07-10", "2024-07-11", "2024-07-12"]])
def test_bought_utc_days_are_whole_dates_and_the_stub_after_each_is_none(week):
    times = sorted({t for day in week for t in session_times(day)})
    bought = [week[0], week[2], week[3]]  # in winter a UTC day begins at 18:00 in Chicago, in summer at 19:00
    tape = tape_of_times(of_utc_days(times, bought))
    assert tape.sessions["date"].astype(str).tolist() == week
    assert whole_dates(tape) == bought
    assert tape.incomplete == [week[1], week[4]]
    assert tape.missing == []


@pytest.mark.parametrize(
    ("root", "day", "first", "last", "whole"),
    [
        ("NQ", "2024-12-03", "20:00", "13:00", True),  # 3 hours after the open, 3 before the close
        ("NQ", "2024-12-03", "20:01", "15:59", False),
        ("NQ", "2024-12-03", "17:00", "12:59", False),
        ("NQ", "2024-12-24", "17:00", "09:15", True),  # closes at 12:15
        ("NQ", "2024-12-24", "17:00", "09:14", False),
        ("NQ", "2024-12-25", "17:00", "15:59", True),  # no session: judged by the regular hours
        ("NQ", "2024-12-25", "17:00", "10:00", False),
        ("ZC", "2024-12-03", "22:00", "10:20", True),  # 19:00 to 13:20
        ("ZC", "2024-12-03", "22:01", "13:19", False),
        ("ZC", "2024-12-03", "19:00", "10:19", False),
        ("LE", "2024-12-03", "08:30", "13:04", True),
        ("LE", "2024-12-03", "11:31", "13:04", False),
        ("LE", "2024-12-03", "08:30", "10:04", False),
        ("LE", "2012-12-04", "17:00", "15:59", True),  # a Tuesday of the years in which it traded overnight
        ("LE", "2012-12-04", "09:05", "15:59", False),
        ("LE", "2012-12-03", "09:05", "15:59", True),  # but the week began on Monday morning
    ],
)
def test_a_date_is_whole_within_three_hours_of_its_scheduled_open_and_close(root, day, first, last, whole):
    times = session_times(day, first, last)
    assert tape_of_times([times[0], times[-1]], root).sessions["whole"].tolist() == [whole]


def test_grains_open_in_the_morning_after_the_holidays_without_an_overnight_session():
    week = [
        *session_times("2024-12-23", "19:00", "13:19"),
        *session_times("2024-12-24", "19:00", "12:04"),
        *session_times("2024-12-26", "08:30", "13:19"),
        *session_times("2024-12-27", "19:00", "13:19"),
    ]
    tape = tape_of_times(week, "ZC")
    assert whole_dates(tape) == ["2024-12-23", "2024-12-24", "2024-12-26", "2024-12-27"]
    assert tape.missing == []


@pytest.mark.parametrize(
    ("day", "whole"),
    [
        ("2019-01-02", True),  # a Wednesday after New Year
        ("2021-11-26", True),  # the Friday after Thanksgiving
        ("2024-07-05", True),
        ("2018-12-26", True),
        ("2022-12-27", True),  # Christmas on a Sunday, observed on Monday
        ("2022-06-21", False),  # after Juneteenth on a Monday: opened on Monday at 19:00
        ("2023-02-21", False),  # after Presidents' Day likewise
        ("2025-07-07", False),  # Independence Day was a Friday; Monday opened on Sunday evening
        ("2024-12-27", False),  # an ordinary Friday
        ("2023-11-30", False),  # a Thursday of another week
    ],
)
def test_grains_from_8_30_on_are_whole_only_after_those_holidays(day, whole):
    times = session_times(day, "08:30", "12:04")
    assert tape_of_times(times, "ZC").sessions["whole"].tolist() == [whole]
    assert tape_of_times(times, "NQ").sessions["whole"].tolist() == [False]


def test_scheduled_dates_without_a_print_are_missing_and_holidays_and_weekends_are_not():
    days = ["2024-12-20", "2024-12-24", "2024-12-26", "2025-01-02"]
    tape = tape_of_times([t for day in days for t in session_times(day)])
    assert tape.missing == ["2024-12-23", "2024-12-27", "2024-12-30", "2024-12-31"]
    corn = tape_of_times(
        [t for day in ("2024-11-27", "2024-11-29") for t in session_times(day, "19:00", "12:00")], "ZC"
    )
    assert corn.missing == []  # the grains rest on Thanksgiving, the index does not
    index = tape_of_times([t for day in ("2024-11-27", "2024-11-29") for t in session_times(day)])
    assert index.missing == ["2024-11-28"]


def test_preprocess_names_the_same_dates_as_a_tape_of_prints(tmp_path):
    bought = [WEEK[0], WEEK[3]]
    times = of_utc_days(sorted({t for day in WEEK for t in session_times(day)}), bought)
    data = tmp_path / "data"
    data.mkdir()
    for day in bought:
        write_day(data, day, [trade(1, at, 21_000) for at in of_utc_days(times, [day])], {"NQZ4": 1})
    made = Tape.open(preprocess([data], NQ, tmp_path / "tape.npz"))
    tape = tape_of_times(times, contract=["NQZ4"] * len(times))
    assert made.sessions.tolist() == tape.sessions.tolist()
    assert made.incomplete == tape.incomplete == [WEEK[1], WEEK[4]]
    assert made.missing == tape.missing == [WEEK[2]]
    assert made.metadata["missing"] == [WEEK[2]]


def test_prints_that_come_out_of_order_in_the_files_are_judged_by_their_times(tmp_path):
    times = session_times(WEEK[1])
    times = [t for t in times if t >= utc(WEEK[1])]
    data = tmp_path / "data"
    data.mkdir()
    turned = [*times[len(times) // 2 :], *times[: len(times) // 2]]
    write_day(data, WEEK[1], [trade(1, at, 21_000, sequence=k) for k, at in enumerate(turned)], {"NQZ4": 1})
    assert Tape.open(preprocess([data], NQ, tmp_path / "tape.npz")).sessions["whole"].tolist() == [True]


def test_who_knows_what_the_prints_cover_may_say_so():
    times = [chicago(f"{day} 12:00") for day in WEEK[:3]]
    assert tape_of_times(times).sessions["whole"].tolist() == [False] * 3
    assert tape_of_times(times, whole=True).sessions["whole"].tolist() == [True] * 3
    assert tape_of_times(times, whole=[True, False, True]).incomplete == [WEEK[1]]


@pytest.mark.parametrize("whole", ["yes", 1, [True, False], [[True]]])
def test_a_whole_that_is_no_bool_for_each_date_is_refused(whole):
    with pytest.raises(TapeError, match="whole must be a bool, or one for each of the 1 session dates, was"):
        tape_of_times([chicago("2024-12-03 12:00")], whole=whole)


def test_what_is_whole_and_missing_survives_saving_and_cutting(tmp_path):
    tape = tape_of_times([t for day in (WEEK[0], WEEK[2], WEEK[4]) for t in session_times(day)])
    again = Tape.open(save_tape(tape, tmp_path / "tape.npz"))
    assert again.sessions.tolist() == tape.sessions.tolist()
    assert again.missing == tape.missing == [WEEK[1], WEEK[3]]
    second = int(tape.sessions["stop"][1])
    assert again.cut(second).sessions["whole"].tolist() == [True, True]
    assert again.cut(second).missing == [WEEK[1]]
    assert again.cut(second - 10).sessions["whole"].tolist() == [True, False]  # 5 hours of prints are cut off
    assert again.part(10, second).sessions["whole"].tolist() == [False, True]
    assert again.part(10, second).sessions["start"].tolist() == [0, tape.sessions["start"][1] - 10]


# What counts by day --------------------------------------------------------------------------------------

STEP = 10  # minutes
BOUGHT = [WEEK[0], WEEK[2]]
SETTINGS = {"settings": MonteCarlo(monte_carlo_sims=50, random_entry_sims=0)}
FIRM = {"firm": PropFirm(prop_firm="custom", prop_target=100_000, prop_drawdown=90_000, prop_sims=100)}


def stub_tape():
    """Three whole dates and three stubs: UTC days Monday, Wednesday; and a whole Friday before its files end."""
    times = sorted({t for day in WEEK for t in session_times(day, step=STEP)})
    times = of_utc_days(times, [*BOUGHT, WEEK[4]])
    rng = np.random.default_rng(5)
    return tape_of_times(times, prices=(80_000 + rng.integers(-60, 61, len(times)).cumsum()).tolist())


def traded(tape, rules=None, **groups):
    """Every third print signals; a trade is closed by its bracket, or at the end of its session."""
    sides = {i: 1 if i % 2 else -1 for i in range(0, len(tape), 3)}
    rules = rules or SessionRules(flat_before_close=5)
    bracket = Bracket(take_profit=10, stop_loss=10)
    return run(tape, Given(signals_of(tape, sides)), bracket, Execution(commission=1), rules, **SETTINGS, **groups)


BY_DAY = ("t_statistic_by_day", "p_value_by_day", "days_profitable", "sharpe", "sortino", "best_day_usd")
BY_DAY += ("worst_day_usd",)


def by_hand(result, dates):
    """Net USD and trades of these session dates."""
    rows = [result.trades[result.trades["session"] == date] for date in dates]
    return np.array([row["net_usd"].sum() for row in rows]), sum(map(len, rows))


def test_by_day_statistics_are_those_of_the_whole_dates_alone():
    tape = stub_tape()
    result = traded(tape)
    counted = np.flatnonzero(tape.sessions["whole"])
    assert tape.sessions["date"][counted].astype(str).tolist() == [*BOUGHT, WEEK[4]]
    assert len(tape.sessions) == 5
    d, trades = by_hand(result, counted)
    got = result.values["statistics"]
    assert got["trades"] > trades > 0  # the stubs have trades, which all other figures keep
    assert got["sharpe"] == pytest.approx(d.mean() / d.std(ddof=1) * 252**0.5)
    assert got["t_statistic_by_day"] == pytest.approx(d.mean() / (d.std(ddof=1) / 3**0.5))
    assert (got["best_day_usd"], got["worst_day_usd"]) == (pytest.approx(d.max()), pytest.approx(d.min()))
    assert got["trades_a_day"] == trades / 3
    assert got["net_usd"] == pytest.approx(result.trades["net_usd"].sum())
    assert [row["session_dates"] for row in result.values["months"]] == [3]
    assert [row["trades"] for row in result.values["months"]] == [got["trades"]]


def test_incomplete_dates_count_where_asked_for():
    tape = stub_tape()
    result = traded(tape, SessionRules(flat_before_close=5, incomplete_dates="include"))
    d, trades = by_hand(result, range(5))
    got = result.values["statistics"]
    assert trades == got["trades"]
    assert got["trades_a_day"] == trades / 5
    assert got["sharpe"] == pytest.approx(d.mean() / d.std(ddof=1) * 252**0.5)
    assert [row["session_dates"] for row in result.values["months"]] == [5]
    assert result.values["monte_carlo"]["days"]["session_date"][-1] == 5


def test_buy_and_hold_by_day_is_that_of_the_whole_dates_and_its_net_that_of_all():
    result = traded(stub_tape())
    held = np.array(result.values["series"]["by_day"]["hold_usd"])
    counted = np.array(result.values["series"]["by_day"]["counted"])
    d, got = held[counted], result.values["baseline"]
    assert counted.tolist() == [True, False, True, False, True]
    assert got["sharpe"] == pytest.approx(d.mean() / d.std(ddof=1) * 252**0.5)
    assert (got["best_day_usd"], got["worst_day_usd"]) == (d.max(), d.min())
    assert got["net_usd"] == pytest.approx(sum(row["net_usd"] for row in got["segments"]))
    assert {key: got["strategy"][key] for key in BY_DAY if key in got} == {
        key: result.values["statistics"][key] for key in BY_DAY if key in got
    }


def test_monte_carlo_draws_the_whole_dates_alone():
    tape = stub_tape()
    result = traded(tape)
    counted = np.flatnonzero(tape.sessions["whole"])
    trades = result.trades[np.isin(result.trades["session"], counted)]
    session = np.searchsorted(counted, trades["session"])
    expected = monte_carlo(trades["net_usd"], session, len(counted), SETTINGS["settings"])
    assert result.values["monte_carlo"]["days"] == expected["days"]
    assert len(result.values["monte_carlo"]["permutation"]["trade"]) > len(expected["permutation"]["trade"])


def test_the_prop_firm_draws_the_whole_dates_alone_and_walks_every_date():
    days = [session_times(WEEK[0]), session_times(WEEK[1]), session_times(WEEK[2], "17:00", "18:00")]
    times = [t for day in days for t in day]
    price = [80_000] * (len(times) - 1) + [79_800]  # the stub's only trade loses 50 points
    tape = tape_of_times(times, prices=price)
    signals = Given(signals_of(tape, {len(times) - 3: 1}))
    firm = PropFirm(prop_firm="custom", prop_target=100_000, prop_drawdown=500, prop_sims=100, prop_days=20)

    def firm_of(**rules):
        bracket = Bracket(take_profit=50, stop_loss=50)
        return run(tape, signals, bracket, rules=SessionRules(**rules), firm=firm).values["prop_firm"]

    assert (firm_of()["drawn"]["session_dates"], firm_of()["drawn"]["bust"]["paths"]) == (2, 0)
    asked = firm_of(incomplete_dates="include")
    assert (asked["drawn"]["session_dates"], asked["drawn"]["bust"]["paths"] > 90) == (3, True)  # all but (2/3)^20
    walked = [[day["session_date"] for day in attempt["days"]] for attempt in firm_of()["attempts"]]
    assert walked == [WEEK[:3]]
    assert firm_of()["attempts"] == asked["attempts"]


def test_a_run_without_a_whole_date_has_no_by_day_figures_and_no_drawn_days():
    tape = tape_of_times(session_times(WEEK[0], "17:00", "18:00", step=1), prices=[80_000, 80_100] * 30 + [80_000])
    result = traded(tape, **FIRM)
    got = result.values["statistics"]
    assert got["trades"] > 0
    assert all(np.isnan(got[key]) for key in (*BY_DAY, "trades_a_day"))
    assert result.values["monte_carlo"]["days"] == {}
    assert result.values["prop_firm"]["drawn"] == {}
    assert f"days drawn: n/a, {ONE_DATE}" in result.full_text()
    assert json.loads(result.to_json())["statistics"]["sharpe"] is None
    assert result.charts()  # without drawn days
    assert result.text("txt")


# Notes and facts -----------------------------------------------------------------------------------------


HELD_ONE = "1 trade was held across missing or incomplete session dates"


def notes_of(result, word):
    return [note for note in result.values["notes"] if word in note]


def held(tape, at, leave, **execution):
    """The coverage of one trade of the signal `at` to print `leave`, which meets its target."""
    price = np.full(len(tape), 80_000)
    price[leave:] = 80_050
    made = Tape.from_prints(tape.ts, price, instrument=NQ)
    rules = Bracket(take_profit=10, stop_loss=100)
    settings = MonteCarlo(random_entry_sims=0)
    result = run(made, Given(signals_of(made, {at: 1})), rules, Execution(**execution), settings=settings)
    assert result.trades["exit"].tolist() == [leave]
    return result.values["coverage"]["trades_across_holes"]


def test_a_trade_open_across_a_missing_date_or_an_incomplete_end_or_beginning_spans_a_hole():
    days = [session_times(WEEK[0]), session_times(WEEK[1], "17:00", "18:00"), session_times(WEEK[2], "04:00")]
    days += [session_times(WEEK[4])]
    tape = tape_of_times([t for day in days for t in day])
    assert tape.incomplete == [WEEK[1], WEEK[2]]
    assert tape.missing == [WEEK[3]]
    starts = [int(start) for start in tape.sessions["start"]]
    assert held(tape, starts[0], starts[1] - 1) == 0  # inside a whole date
    assert held(tape, starts[0], starts[1]) == 0  # into a date that begins in time
    assert held(tape, starts[1], starts[2] - 1) == 0  # inside an incomplete one
    assert held(tape, starts[1], starts[2]) == 1  # across its early end, and the late beginning of the next
    assert held(tape, starts[2], starts[2] + 2, entry="signal") == 0  # from the first print after the hole on
    assert held(tape, starts[2], starts[3]) == 1  # across a missing date
    assert held(tape, starts[0], starts[3] + 1) == 1  # one trade, however many holes


def test_a_late_beginning_after_a_whole_date_is_a_hole_and_an_open_end_of_the_tape_is_none():
    days = [session_times(WEEK[0]), session_times(WEEK[1], "04:00"), session_times(WEEK[2], "17:00", "18:00")]
    tape = tape_of_times([t for day in days for t in day])
    starts = [int(start) for start in tape.sessions["start"]]
    assert held(tape, starts[0], starts[1]) == 1
    assert held(tape, starts[1], starts[2]) == 0
    assert held(tape, starts[2], len(tape) - 1) == 0


def test_files_that_are_missing_within_a_trade_are_noted():
    times = sorted({t for day in WEEK for t in session_times(day, step=STEP)})
    tape = tape_of_times(of_utc_days(times, [WEEK[0], WEEK[3]]))
    result = run(tape, Given(signals_of(tape, {0: 1})), Bracket(take_profit=50, stop_loss=50))
    assert notes_of(result, "missing session dates: 1, scheduled")
    (left_out,) = notes_of(result, "incomplete session dates: 2,")
    assert "left out" in left_out
    assert left_out.endswith("incomplete_dates=include counts them")
    asked = run(tape, Given(signals_of(tape, {0: 1})), rules=SessionRules(incomplete_dates="include"))
    (counted,) = notes_of(asked, "incomplete session dates: 2,")
    assert "incomplete_dates=include" in counted
    assert notes_of(result, "held across") == [HELD_ONE]  # though it is still open at the end of the tape
    price = [80_000] * (len(tape) - 1) + [80_400]
    moved = Tape.from_prints(tape.ts, price, instrument=NQ)
    closed = run(moved, Given(signals_of(moved, {0: 1})), Bracket(take_profit=50, stop_loss=50))
    assert notes_of(closed, "held across") == [HELD_ONE]
    assert len(closed.trades) == 1
    both = run(
        tape, Given(signals_of(tape, {0: 1, 1: 1})), Bracket(take_profit=50, stop_loss=50), Execution(overlap=True)
    )
    assert notes_of(both, "held across") == ["2 trades were held across missing or incomplete session dates"]


def test_a_void_trade_held_across_a_hole_counts_too():
    days = [*session_times(WEEK[0]), *session_times(WEEK[2])]
    contract = ["NQZ4"] * len(days) + ["NQH5"] * len(after := session_times(WEEK[3]))
    tape = tape_of_times([*days, *after], contract=contract)
    result = run(tape, Given(signals_of(tape, {0: 1})), Bracket(take_profit=50, stop_loss=50))
    assert result.values["counts"]["void"] == 1
    assert result.values["coverage"]["trades_across_holes"] == 1


def test_a_tape_without_holes_has_no_such_note():
    tape = tape_of_times([t for day in WEEK for t in session_times(day)])
    result = run(tape, Given(signals_of(tape, {0: 1, 30: -1})), Bracket(take_profit=50, stop_loss=50))
    assert not [
        note for word in ("missing", "incomplete", "held across", "later session") for note in notes_of(result, word)
    ]
    assert set(result.values["coverage"].items()) >= {("missing_dates", 0), ("counted_dates", 5)}


def test_info_and_the_report_name_missing_and_incomplete_dates(tmp_path, scalpr):
    days = [f"2024-11-{n:02d}" for n in (1, 11, 12, 13)]
    times = [t for day in days[:2] for t in session_times(day)] + session_times(days[2], "17:00", "18:00")
    path = save_tape(tape_of_times(times + session_times(days[3])), tmp_path / "tape.npz")
    code, out, _ = scalpr("info", path)
    rows = {line[:28].strip(): line[28:] for line in out.splitlines()}
    assert code == 0
    assert rows["missing dates"] == "5: 2024-11-04, 2024-11-05, 2024-11-06, 2024-11-07, 2024-11-08"
    assert rows["incomplete dates"] == "1: 2024-11-12"
    told = json.loads(scalpr("info", path, "--json")[1])
    assert told["missing"] == [f"2024-11-0{n}" for n in (4, 5, 6, 7, 8)]
    assert told["incomplete"] == ["2024-11-12"]
    text = run(Tape.open(path), Given(np.zeros(len(times) + len(session_times(days[3])), np.int8))).full_text()
    assert "\n  missing dates             5: 2024-11-04," in text


def test_many_missing_dates_are_counted_and_the_first_named():
    tape = tape_of_times([*session_times("2024-11-01"), *session_times("2024-11-29")])
    result = run(tape, Given(np.zeros(len(tape), np.int8)))
    dates = "19: 2024-11-04, 2024-11-05, 2024-11-06, 2024-11-07, 2024-11-08, ..."
    assert f"\n  missing dates             {dates}\n" in result.full_text()
    assert len(result.values["tape"]["missing"]) == 19
