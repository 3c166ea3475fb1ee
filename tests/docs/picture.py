"""Draws the README's picture of a terminal, from what the verbs print.

    python -m tests.docs.picture

A small shop is made, a change to one of its journeys is checked and planned, and it is asked
about one customer. `test_picture.py` fails while the picture does not show what the verbs say.
"""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from tests.docs.fences import ROOT

PICTURE = ROOT / "docs" / "pictures" / "terminal.svg"
COLUMNS = 98

_THEME = TerminalTheme(
    (24, 26, 32),
    (214, 218, 224),
    [
        (24, 26, 32), (240, 113, 120), (152, 195, 121), (229, 192, 123),
        (97, 175, 239), (198, 120, 221), (86, 182, 194), (214, 218, 224),
    ],
    [
        (127, 132, 142), (255, 133, 140), (172, 215, 141), (249, 212, 143),
        (117, 195, 255), (218, 140, 241), (106, 202, 214), (255, 255, 255),
    ],
)  # fmt: skip

_EDITS = (
    ("as ordered", "exists(order_placed since", "exists(order_palced since"),
    ("as ordered", "exists(order_palced since", "exists(order_placed since"),
    ("", "remind", "reminder"),
    ("sleep:", "wait 22h", "wait 2d"),
)


def _journey(shop: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "journeylang", "--color", "always", *arguments],
        cwd=shop,
        env=os.environ | {"COLUMNS": str(COLUMNS), "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode < 2, done.stdout
    return done.stdout.rstrip("\n")


def _edit(shop: Path, number: int) -> None:
    line, old, new = _EDITS[number]
    file = shop / "journeys" / "cart.journey"
    lines = file.read_text(encoding="utf-8").split("\n")
    for at, text in enumerate(lines):
        if line in text and "/remind" not in text:
            lines[at] = text.replace(old, new)
    changed = "\n".join(lines)
    assert changed != file.read_text(encoding="utf-8")
    file.write_text(changed, encoding="utf-8")


def recorded(shop: Path) -> Text:
    """What is typed and what is answered."""
    _journey(shop.parent, "demo", str(shop), "--customers", "2000", "--days", "6", "--step", "6h")
    made = Text()

    def scene(comment: str, *arguments: str, lines: int | None = None) -> None:
        answer = Text.from_ansi(_journey(shop, *arguments))
        if lines is not None:
            answer = Text("\n").join([*answer.split("\n")[:lines], Text("…", "bright_black")])
        if made:
            made.append("\n\n")
        made.append(f"# {comment}\n", "bright_black")
        made.append("$ ", "green")
        made.append(" ".join(("journey", *arguments)) + "\n", "bold")
        made.append(answer)

    _edit(shop, 0)
    scene("a slip, before anybody sees it", "check")
    _edit(shop, 1)
    _edit(shop, 2)
    _edit(shop, 3)
    scene("a step renamed, a wait made longer: what becomes of people on their way?", "plan")
    scene("why does 10149 hear nothing?", "why", "10149", "replenishment", lines=22)
    return made


def drawn(text: Text) -> str:
    """The picture: no fonts from elsewhere, the same text always the same bytes."""
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, legacy_windows=False
    )
    console.print(text, soft_wrap=False)
    pattern = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    assert "http" not in pattern.replace("http://www.w3.org/2000/svg", "").replace(
        "https://www.textualize.io", ""
    )
    pattern = pattern.replace(
        "font-family: Fira Code, monospace",
        "font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, DejaVu Sans Mono, monospace",
    )
    return (
        console.export_svg(
            title="journey", theme=_THEME, code_format=pattern, unique_id="journey"
        ).strip()
        + "\n"
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        PICTURE.write_text(drawn(recorded(Path(folder) / "coffee")), encoding="utf-8")


if __name__ == "__main__":
    main()
