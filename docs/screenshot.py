"""Make docs/dashboard.png: the dashboard of the demo market, or of another tape, in headless Chromium.

    python -m docs.screenshot [TAPE]

Needs the development requirements and the system's Chromium.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.browser import launched, served

PICTURE = Path(__file__).with_name("dashboard.png")
RUN = "take_profit=12.5&latency_ms=5&target_fill=through&commission=2.05&slippage_ticks=1"


def main() -> None:
    """Start the dashboard, open it, and write the picture."""
    with served(*sys.argv[1:]) as address, launched() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 1500}, color_scheme="dark")
        page.goto(f"{address}/?{RUN}")
        page.wait_for_selector("body[data-complete]", timeout=60_000)
        page.wait_for_selector("#chart-equity_by_day .main-svg")
        page.wait_for_timeout(1_000)  # the last chart in sight
        page.screenshot(path=PICTURE)
    print(f"written: {PICTURE}")


if __name__ == "__main__":
    main()
