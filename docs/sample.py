"""Write the demo run into the README, and its whole report into docs/report.md.

python docs/sample.py
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
README, REPORT = ROOT / "README.md", ROOT / "docs" / "report.md"
_BLOCK = re.compile(r"(```text\n).*?(\n```)", re.DOTALL)


def demo_run() -> tuple[str, str]:
    """Return what run_backtest.py prints, and its report file up to the run manifest."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(ROOT / "run_backtest.py")]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
        [path] = Path(folder, "results").glob("*.txt")
        report = path.read_text(encoding="utf-8")
    return done.stdout.strip("\n"), report.partition("\n\nRUN MANIFEST")[0]


def shown(page: Path) -> str:
    """Return the run that a page shows."""
    [text] = re.findall(r"```text\n(.*?)\n```", page.read_text(encoding="utf-8"), re.DOTALL)
    return str(text)


def main() -> None:
    """Refresh both pages."""
    for page, text in zip((README, REPORT), demo_run(), strict=True):
        before = page.read_text(encoding="utf-8")
        page.write_text(
            _BLOCK.sub(lambda block, text=text: block[1] + text + block[2], before), encoding="utf-8", newline="\n"
        )


if __name__ == "__main__":
    main()
