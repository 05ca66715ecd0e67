"""The slow, obvious twin of the prop firm's evaluation: one account, every print, the rules read aloud.

It shares no code with the package. Amounts are whole micro-dollars, profits count from the starting balance.
The numbers in the comments are the rules of docs/prop_firm.md.
"""

WORD = 2**64


def evaluate(prices, sessions, trades, order, rules):
    """Take one account through session dates.

    `sessions` are (start, stop) of each date, `order` the dates to go through, `trades` dicts of side, entry, exit,
    entry_ticks and exit_ticks, of which at most one is open at a time. Returns outcome, dates used, what ended it
    (words, print) and a row for each date.
    """
    tick, commission, slippage = rules["tick"], rules["commission"], rules["slippage"]
    equity = 0
    highest = 0  # what the floor trails
    floor = -rules["drawdown"]
    best_day = 0
    trading_days = 0
    rows = []

    def raised(floor, highest):
        wanted = highest - rules["drawdown"]
        if rules["lock"] is not None and wanted > rules["lock"]:
            wanted = rules["lock"]  # 6: the floor does not rise above the lock
        return wanted if wanted > floor else floor  # 5: nor does it ever fall

    for used, date in enumerate(order, start=1):
        start, stop = sessions[date]
        opening = balance = equity
        nearest = equity - floor
        closed = 0
        filled = False
        bust = over = None

        for k in range(start, stop):
            if over or bust:
                break
            for trade in trades:
                if over or bust or not trade["entry"] <= k <= trade["exit"]:
                    continue
                if trade["entry"] == k:
                    balance -= commission  # 2: the commission of a side is paid at its own fill
                    basis = trade["entry_ticks"]
                    filled = True
                elif k == start:
                    basis = prices[k - 1]  # 4: carried over, from its mark at the last print of the date before
                if trade["exit"] == k:
                    balance += trade["side"] * (trade["exit_ticks"] - basis) * tick - commission  # 3: the fill counts
                    equity = balance
                    is_open = False
                    closed += 1
                    filled = True
                else:
                    equity = balance + trade["side"] * (prices[k] - basis) * tick  # 3: marked at the print
                    is_open = True

                if rules["trails_equity"] and equity > highest:
                    highest = equity
                    floor = raised(floor, highest)
                nearest = min(nearest, equity - floor)

                if equity <= floor:  # 7, and 9: before the daily loss limit
                    bust = ("floor", k)
                elif rules["daily_loss"] is not None and opening - equity >= rules["daily_loss"]:  # 8
                    over = ("daily loss", k)
                    if rules["daily_bust"]:
                        bust = over
                if bust or over:
                    if is_open:  # 10: closed at that print, less slippage
                        balance += trade["side"] * (prices[k] - trade["side"] * slippage - basis) * tick - commission
                        equity = balance
                        closed += 1
                        filled = True
                        nearest = min(nearest, equity - floor)
                    if not bust and equity <= floor:
                        bust = ("floor", k)

        net = equity - opening
        best_day = max(best_day, net)
        trading_days += filled
        if not rules["trails_equity"] and not bust:
            highest = max(highest, equity)  # 5: the balance at the end of the date
            floor = raised(floor, highest)
        ended = bust or over
        rows.append((closed, net, equity, nearest, floor, filled, ended[0] if ended else None))
        if bust:
            return "bust", used, bust, rows
        # 11: the target counts at the end of a date
        enough_days = trading_days >= rules["min_days"]
        even = rules["share"] is None or best_day * 100 <= equity * rules["share"]
        if equity >= rules["target"] and enough_days and even:
            return "pass", used, None, rows

    return "unfinished", len(order), None, rows


def attempts(prices, sessions, trades, rules):
    """12: one attempt after the other, each from the session date after the last one ended."""
    found, at = [], 0
    while at < len(sessions):
        attempt = evaluate(prices, sessions, trades, range(at, len(sessions)), rules)
        found.append((at, *attempt))
        at += attempt[1]
    return found


def philox(counter, key):
    """Philox 4x64-10 (Salmon et al., 2011): four words of 64 bits."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        high0, low0 = divmod(0xD2E7470EE14C6C93 * c0, WORD)
        high1, low1 = divmod(0xCA5A826395121157 * c2, WORD)
        c0, c1, c2, c3 = high1 ^ c1 ^ k0, low1, high0 ^ c3 ^ k1, low0
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) % WORD, (k1 + 0xBB67AE8584CAA73B) % WORD
    return c0, c1, c2, c3


def drawn_dates(seed, chunk, paths, length, sessions):
    """13: the dates of each path; the counter of the first block is 1."""
    numbers = []
    block = 0
    while len(numbers) < paths * length:
        block += 1
        numbers.extend(philox((block, 0, 0, 0), (seed, chunk)))
    chosen = [(number // 2**32) * sessions // 2**32 for number in numbers]
    return [chosen[p * length : (p + 1) * length] for p in range(paths)]
