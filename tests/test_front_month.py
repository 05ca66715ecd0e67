"""The front month from the volumes of each session date, where the first date chose it."""

from datetime import date, timedelta

from scalpr_zen import instrument
from scalpr_zen.data.front_month import Contract, Roll, front_months

H5, M5 = Contract(2025, 3, "NQH5"), Contract(2025, 6, "NQM5")


def test_a_roll_frees_the_front_month_from_the_date_that_chose_the_first_one():
    # The first date knows itself alone and chooses H5; the second rolls to M5. The third has more than four times the
    # volume of the first, which so turns out to be small: that would free a choice of the first date, and binds M5.
    volumes = [{H5: 100}, {H5: 10, M5: 90}, {H5: 900, M5: 200}, {H5: 1, M5: 1}]
    days = [date(2025, 1, 6) + timedelta(days=k) for k in range(4)]
    found = front_months(dict(zip(days, volumes, strict=True)), Roll(), instrument("NQ"))
    assert [found[day].contract for day in days] == [H5, H5, M5, M5]
