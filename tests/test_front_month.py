"""Which contract is the front month, from symbols and volumes alone."""

from datetime import date, timedelta

import pytest

from scalpr_zen import DataError, ParameterError, ScalprError, instrument
from scalpr_zen.base.instruments import INSTRUMENTS, MONTHS, Instrument
from scalpr_zen.data.expiry import last_trading_day
from scalpr_zen.data.front_month import Contract, Roll, classify, front_months, parse_schedule, root_of

Z4, H5, M5 = Contract(2024, 12, "NQZ4"), Contract(2025, 3, "NQH5"), Contract(2025, 6, "NQM5")
NQ = instrument("NQ")
MONDAY = date(2024, 12, 9)


# Symbols ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("symbol", "on", "year", "month"),
    [
        ("NQZ4", date(2024, 12, 31), 2024, 12),
        ("NQZ4", date(2025, 1, 1), 2034, 12),
        ("NQZ4", date(2014, 12, 1), 2014, 12),
        ("NQZ4", date(2015, 1, 1), 2024, 12),
        ("NQH5", date(2024, 12, 9), 2025, 3),
        ("NQH5", date(2025, 3, 31), 2025, 3),
        ("NQH5", date(2025, 4, 1), 2035, 3),
        ("NQH0", date(2019, 12, 30), 2020, 3),
        ("NQF0", date(2009, 12, 31), 2010, 1),
        ("NQZ9", date(2020, 1, 2), 2029, 12),
        ("NQZ24", date(2024, 12, 9), 2024, 12),
        ("NQZ05", date(1999, 1, 4), 2005, 12),
        ("NQH00", date(1999, 12, 31), 2000, 3),
    ],
)
def test_an_outright_expires_at_the_next_month_with_its_digits(symbol, on, year, month):
    assert classify(symbol, 7, "NQ", on) == Contract(year, month, symbol)


def test_over_decades_a_one_digit_year_is_never_past_and_less_than_ten_years_ahead():
    for on in (date(2000, 1, 15) + timedelta(days=31 * k) for k in range(500)):
        for letter, month in zip("FGHJKMNQUVXZ", range(1, 13), strict=True):
            for digit in range(10):
                got = classify(f"GC{letter}{digit}", 1, "GC", on)
                months_ahead = 12 * (got.year - on.year) + got.month - on.month
                assert (got.year % 10, got.month) == (digit, month)
                assert 0 <= months_ahead < 120


@pytest.mark.parametrize(
    ("symbol", "root", "meaning"),
    [
        ("NQZ4-NQH5", "NQ", "spread"),
        ("NQZ24-NQH25", "NQ", "spread"),
        ("GC:BF Z4-G5-J5", "GC", "spread"),
        ("NQ:C1 HMUZ 03-5", "NQ", "spread"),
        ("MNQZ4", "NQ", "other_root"),
        ("NQZ4", "Q", "other_root"),
        ("MNQZ4-MNQH5", "NQ", "other_root"),
        ("ESZ4", "NQ", "other_root"),
        ("ES", "NQ", "other_root"),
        ("NQA4", "NQ", "other_root"),
        ("NQZ", "NQ", "other_root"),
        ("NQZ2024", "NQ", "other_root"),
        ("XNQZ4-NQH5", "NQ", "other_root"),
        ("UD:1V: GN 0123456", "NQ", "other_root"),
        ("ES.v.0", "NQ", "other_root"),
    ],
)
def test_what_is_no_outright_of_the_root_is_a_spread_or_of_another_root(symbol, root, meaning):
    assert classify(symbol, 7, root, MONDAY) == meaning


@pytest.mark.parametrize("symbol", ["NQ.v.0", "NQ.c.0", "NQ.n.0"])
def test_a_continuous_symbol_is_told_apart_by_its_id(symbol):
    got = classify(symbol, 42, "NQ", MONDAY)
    assert got.continuous
    assert got.symbol == f"{symbol}#42"
    assert got != classify(symbol, 43, "NQ", MONDAY)


@pytest.mark.parametrize(
    ("symbol", "root"),
    [
        ("NQZ4", "NQ"),
        ("6EZ4-6EH5", "6E"),
        ("M2KH25", "M2K"),
        ("GC:BF Z4-G5-J5", "GC"),
        ("ES.v.0", "ES"),
        ("ZNZ4", "ZN"),
    ],
)
def test_the_root_of_a_symbol(symbol, root):
    assert root_of(symbol) == root


# The volume roll --------------------------------------------------------------------------------------


def fronts(*volumes, roll=None) -> list:
    """Front months of consecutive session dates, of which the volumes are given by contract."""
    days = [MONDAY + timedelta(days=k) for k in range(len(volumes))]
    got = front_months(dict(zip(days, volumes, strict=True)), roll or Roll(), NQ)
    return [got[day].contract if day in got else None for day in days]


def test_the_front_month_is_the_highest_volume_of_the_session_before():
    assert fronts({Z4: 9, H5: 1}, {Z4: 4, H5: 5}, {Z4: 1, H5: 9}) == [Z4, Z4, H5]


def test_the_first_session_uses_its_own_volume():
    assert fronts({Z4: 1, H5: 2}, {Z4: 1, H5: 2}) == [H5, H5]


def test_the_front_month_never_goes_back():
    volumes = ({Z4: 40, H5: 60}, {Z4: 99, H5: 1}, {Z4: 99, H5: 1}, {M5: 20, H5: 10, Z4: 90}, {M5: 9})
    assert fronts(*volumes) == [H5, H5, H5, H5, M5]


def test_a_tie_does_not_roll_and_the_nearer_of_two_equal_ones_leads():
    assert fronts({Z4: 5, H5: 5}, {H5: 6, Z4: 6}, {Z4: 1, M5: 7, H5: 7}, {H5: 1}) == [Z4, Z4, Z4, H5]


def test_a_session_without_the_front_month_or_a_later_one_keeps_it():
    assert fronts({H5: 5}, {Z4: 9}, {Z4: 9}, {H5: 1}) == [H5] * 4


def test_after_a_gap_in_which_all_expired_a_session_has_only_its_own_volume():
    old, new, later = (Contract(2018, 6, "ESM8"), Contract(2024, 3, "ESH4"), Contract(2024, 6, "ESM4"))
    volumes = {
        date(2018, 5, 7): {old: 9},
        date(2023, 12, 26): {new: 5, later: 7},
        date(2023, 12, 27): {new: 3, later: 8},
    }
    assert [front.contract for front in front_months(volumes, Roll(), NQ).values()] == [old, later, later]


# Sessions of unusual volume ---------------------------------------------------------------------------


def test_a_session_of_a_small_share_of_the_usual_volume_decides_no_roll():
    assert fronts({Z4: 999, H5: 1}, {H5: 1, Z4: 0}, {Z4: 999, H5: 1}) == [Z4, Z4, Z4]


def test_one_odd_session_moves_no_later_one():
    usual, holiday = {Z4: 9_960, H5: 40}, {Z4: 12, H5: 40}
    assert fronts(*[usual] * 7, holiday, *[usual] * 36) == [Z4] * 44


def test_the_limit_is_a_quarter_of_the_median_of_the_twenty_sessions_before():
    def after(total, *before):
        """The contract on the date after one of this total, in which H5 leads."""
        return fronts(*({Z4: v} for v in before), {Z4: 1, H5: total - 1}, {Z4: 1, H5: 1})[-1]

    assert after(25, 100) == H5
    assert after(24, 100) == Z4
    assert after(25, 60, 1_000, 100, 140, 60) == H5  # their median is 100
    assert after(24, 60, 1_000, 100, 140, 60) == Z4
    assert after(24, *[400] * 9, *[80] * 11) == H5  # the median of an even number is between the two in the middle
    assert after(24, *[40] * 11, *[400] * 20) == Z4  # the 21st before is too old to count
    assert after(24, *[400] * 20, *[40] * 11) == H5  # and a lower volume that lasts becomes the usual one


def test_stubs_at_the_end_of_each_block_of_files_decide_nothing():
    block = [{Z4: 9_000, H5: 500}, {H5: 90, Z4: 10}]  # a whole session, and an hour of the next
    assert fronts(*block * 10) == [Z4] * 20


def test_a_small_first_session_binds_no_later_one():
    usual = {Z4: 9_960, H5: 40}
    assert fronts({Z4: 12, H5: 40}, *[usual] * 5) == [H5, H5, Z4, Z4, Z4, Z4]


def test_a_small_first_session_binds_once_a_session_of_usual_volume_chooses_the_same():
    assert fronts({Z4: 12, H5: 40}, {Z4: 40, H5: 9_960}, *[{Z4: 9_960, H5: 40}] * 3) == [H5] * 5


def test_a_first_session_of_usual_volume_binds():
    assert fronts({Z4: 30, H5: 70}, {Z4: 390, H5: 10}, {Z4: 390, H5: 10}) == [H5, H5, H5]


# Front months that did not trade ----------------------------------------------------------------------


def test_a_session_without_the_front_month_takes_the_best_later_one_for_that_date_alone():
    volumes = ({Z4: 900, H5: 10, M5: 1}, {H5: 3, M5: 5}, {Z4: 900, H5: 10}, {Z4: 900})
    assert fronts(*volumes) == [Z4, M5, Z4, Z4]


def test_a_contract_is_over_after_its_last_trading_day_and_not_at_the_end_of_its_month():
    old, new, late = Contract(2024, 3, "NQH4"), Contract(2024, 6, "NQM4"), Contract(2024, 9, "NQU4")
    volumes = {
        date(2024, 3, 6): {old: 9_000, late: 5},
        date(2024, 3, 20): {new: 8_000, late: 3},
        date(2024, 3, 21): {new: 8_000},
    }
    got = front_months(volumes, Roll(), NQ)
    # NQH4 ended on March 15. The 5 contracts that live on are no judge of the 20th, which has only its own volume.
    assert [front.contract for front in got.values()] == [old, new, new]
    assert [front.known.day for front in got.values()] == [6, 20, 20]


def test_crude_oil_expires_in_the_month_before_its_delivery():
    k4, m4 = Contract(2024, 5, "CLK4"), Contract(2024, 6, "CLM4")
    volumes = {date(2024, 4, 10): {k4: 600, m4: 400}, date(2024, 4, 24): {m4: 900}}
    got = front_months(volumes, Roll(), instrument("CL"))[date(2024, 4, 24)]
    # CLK4 ended on April 22: the 24th has its front month from the 10th, and nothing is replaced.
    assert (got.contract, got.known.day, got.instead_of) == (m4, 10, None)


def test_without_an_expiry_rule_a_contract_lives_to_the_end_of_its_delivery_month():
    own = Instrument(root="NQ", tick_size=0.25, point_value=1)
    volumes = {date(2024, 12, 16): {Z4: 9, H5: 1}, date(2024, 12, 31): {H5: 9}, date(2025, 1, 2): {H5: 9}}
    got = front_months(volumes, Roll(), own)
    assert [front.contract for front in got.values()] == [Z4, H5, H5]
    assert [front.instead_of for front in got.values()] == [None, Z4, None]


def outright_volumes(root: str, days: list[date]) -> dict:
    """Volumes of four contracts a date: one leads until a week before its end, then the next."""
    own = instrument(root)
    contracts = [
        Contract(year, MONTHS.index(letter) + 1, f"{root}{letter}{year % 10}")
        for year in range(2023, 2028)
        for letter in own.roll_months
    ]
    volumes = {}
    for day in days:
        alive = [c for c in contracts if last_trading_day(own.expiry_rule, c.year, c.month) >= day]
        ends = last_trading_day(own.expiry_rule, alive[0].year, alive[0].month)
        sizes = [1_000, 60, 8, 1] if ends > day + timedelta(days=7) else [30, 1_000, 60, 8]
        volumes[day] = dict(zip(alive, sizes, strict=False))
    return volumes


@pytest.mark.parametrize("root", INSTRUMENTS)
@pytest.mark.parametrize("step", [7, 30], ids=["a day a week", "a day a month"])
def test_samples_of_any_root_lose_no_session(root, step):
    days = [date(2024, 1, 3) + timedelta(days=k) for k in range(0, 730, step)]
    days = [day for day in days if day.weekday() < 5]
    every = outright_volumes(root, days)
    # As a parent request gives them, and each contract alone until the next one leads.
    leading = {day: {max(volume, key=volume.get): 1_000} for day, volume in every.items()}
    for volumes in (every, leading):
        got = front_months(volumes, Roll(), instrument(root))
        assert list(got) == days
        assert all(front.contract in volumes[day] for day, front in got.items())
        chosen = [front.contract for front in got.values()]
        assert chosen == sorted(chosen)


# Calendar and schedule --------------------------------------------------------------------------------


def test_the_calendar_rolls_n_business_days_before_expiry():
    every = {Z4: 1, H5: 1}
    # NQZ4 expires on Friday 2024-12-20: four business days before is Monday the 16th.
    assert fronts(*[every] * 8, roll=Roll(rule="calendar", days=4)) == [Z4] * 7 + [H5]
    assert fronts(*[every] * 8, roll=Roll(rule="calendar", days=5)) == [Z4] * 4 + [H5] * 4
    assert fronts(*[every] * 8, roll=Roll(rule="calendar", days=9)) == [H5] * 8


def test_the_calendar_does_not_read_the_volumes():
    assert fronts({Z4: 1, H5: 999}, {Z4: 1, H5: 999}, roll=Roll(rule="calendar", days=1)) == [Z4, Z4]


def test_the_calendar_keeps_to_the_roll_months():
    gold = {Contract(2024, 10, "GCV4"): 9, Contract(2024, 12, "GCZ4"): 1, Contract(2025, 2, "GCG5"): 1}
    days = {date(2024, 10, 1): gold, date(2024, 12, 19): gold, date(2024, 12, 20): gold}
    got = front_months(days, Roll(rule="calendar", days=4), instrument("GC"))
    # GCZ4 expires on 2024-12-27; the four business days before are the 26th, 24th, 23rd and 20th.
    assert [front.contract.symbol for front in got.values()] == ["GCZ4", "GCZ4", "GCG5"]


def test_the_calendar_needs_the_contracts_and_an_expiry_rule():
    roll = Roll(rule="calendar")
    with pytest.raises(DataError, match="needs NQZ2024 on 2024-12-09, the files hold NQH5, NQM5"):
        fronts({H5: 1, M5: 1}, roll=roll)
    with pytest.raises(ParameterError, match="roll calendar needs an expiry rule, XYZ has none"):
        front_months({MONDAY: {H5: 1}}, roll, Instrument(root="XYZ", tick_size=1, point_value=1))


def test_a_schedule_says_the_contract_from_its_date_on():
    every = {Z4: 9, H5: 1, M5: 1}
    roll = Roll(rule="schedule", schedule=(("NQH5", date(2024, 12, 10)), ("NQZ4", date(2024, 12, 12))))
    assert fronts(*[every] * 5, roll=roll) == [None, H5, H5, Z4, Z4]


def test_a_schedule_may_name_only_contracts_of_the_files():
    roll = Roll(rule="schedule", schedule=(("NQU5", MONDAY),))
    with pytest.raises(DataError, match="the schedule names NQU5, the files hold NQZ4, NQH5"):
        fronts({Z4: 1, H5: 1}, roll=roll)


SCHEDULE = (("NQZ4", date(2024, 9, 16)), ("NQH5", date(2024, 12, 16)))


@pytest.mark.parametrize(
    "text",
    [
        "NQZ4 2024-09-16, NQH5 2024-12-16",
        "NQZ4 2024-09-16\nNQH5 2024-12-16\n",
        "  NQZ4   2024-09-16 ,NQH5 2024-12-16,\n\n",
    ],
)
def test_a_schedule_is_read_from_text_and_from_a_file(text, tmp_path):
    file = tmp_path / "schedule.txt"
    file.write_text(text)
    assert parse_schedule(text) == parse_schedule(str(file)) == SCHEDULE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("NQZ4", "schedule must be like"),
        ("NQZ4 2024-09-16 NQH5 2024-12-16", "schedule must be like"),
        ("NQZ4 2024-13-01", "was 'NQZ4 2024-13-01'"),
        ("NQZ4 16.09.2024", "schedule must be like"),
        ("2024-09-16 NQZ4", "schedule must be like"),
        ("no/such/file.txt", "schedule must be like"),
        ("NQZ4 2024-09-16, NQH5 2024-09-16", "dates of the schedule must increase, were 2024-09-16, 2024-09-16"),
        ("NQZ4 2024-09-16, NQH5 2024-09-15", "dates of the schedule must increase"),
    ],
)
def test_a_bad_schedule_is_refused(text, message):
    with pytest.raises(ParameterError, match=message):
        parse_schedule(text)


def test_a_schedule_file_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "tape.npz"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    with pytest.raises(ScalprError):
        parse_schedule(str(file))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rule": "weekly"}, "roll must be one of volume, calendar, schedule, was 'weekly'"),
        ({"rule": "calendar", "days": 0}, "roll_days must be 1 to 60, was 0"),
        ({"rule": "calendar", "days": 61}, "roll_days must be 1 to 60, was 61"),
        ({"rule": "schedule"}, "roll schedule needs a schedule"),
        ({"rule": "volume", "schedule": SCHEDULE}, "and only it does"),
    ],
)
def test_a_bad_roll_is_refused(settings, message):
    with pytest.raises(ParameterError, match=message):
        Roll(**settings)


def test_a_schedule_whose_date_means_another_decade_is_refused_with_the_full_names():
    roll = Roll(rule="schedule", schedule=(("NQZ4", date(2014, 12, 9)),))
    with pytest.raises(DataError, match="the schedule names NQZ4, on 2014-12-09 NQZ2014; the files hold NQZ2024"):
        fronts({Z4: 1}, roll=roll)


def test_a_roll_frees_the_front_month_from_the_date_that_chose_the_first_one():
    # The first date knows itself alone and chooses H5; the second rolls to M5. The third has more than four times the
    # volume of the first, which so turns out to be small: that would free a choice of the first date, and binds M5.
    volumes = [{H5: 100}, {H5: 10, M5: 90}, {H5: 900, M5: 200}, {H5: 1, M5: 1}]
    days = [date(2025, 1, 6) + timedelta(days=k) for k in range(4)]
    found = front_months(dict(zip(days, volumes, strict=True)), Roll(), NQ)
    assert [found[day].contract for day in days] == [H5, H5, M5, M5]
