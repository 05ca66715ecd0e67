"""A tape of ten prints: two contracts, two sessions, extreme values."""

from scalpr_zen import Tape, instrument
from support.dbn_files import chicago

NQ = instrument("NQ")
MEMBERS = {"ts", "price", "size", "aggressor", "segments", "sessions", "metadata"}
DTYPES = {"ts": "int64", "price": "int32", "size": "int32", "aggressor": "int8"}
MONDAY = chicago("2024-12-16 12:00")
TUESDAY = chicago("2024-12-16 17:00")
CONTRACTS = ["NQZ4"] * 4 + ["NQH5"] * 6
TS = [MONDAY, MONDAY, MONDAY + 1, MONDAY + 2, MONDAY + 3, TUESDAY - 1, TUESDAY, TUESDAY, TUESDAY + 5, TUESDAY + 6]
PRICES = [84_000, 84_001, 83_999, -3, 84_500, 84_501, 84_502, 84_503, 84_504, 84_505]
SIZES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 2**31 - 1]
AGGRESSORS = [1, -1, 0, 1, -1, 0, 1, -1, 0, 1]


def made(stop=10, **changes) -> Tape:
    """Ten prints of two contracts in two sessions, or the first of them."""
    columns = {"size": SIZES[:stop], "aggressor": AGGRESSORS[:stop], "contract": CONTRACTS[:stop]}
    return Tape.from_prints(TS[:stop], PRICES[:stop], instrument=NQ, **columns | changes)


def assert_equal(got: Tape, expected: Tape):
    for name in ("ts", "price", "size", "aggressor", "segments", "sessions"):
        a, b = getattr(got, name), getattr(expected, name)
        assert a.dtype == b.dtype
        assert a.tolist() == b.tolist()
    assert got.instrument == expected.instrument
    assert len(got) == len(expected)
