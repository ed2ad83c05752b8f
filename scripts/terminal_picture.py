"""Draw docs/terminal.svg: a real terminal session with a search and an answer on the sample.

python scripts/terminal_picture.py
"""

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).resolve().parent.parent / "docs" / "terminal.svg"
WIDTH = 92
COMMANDS = (
    ("search", "who voiced Meg", "-k", "2"),
    ("read", "who voiced Meg"),
)
# rich links web fonts; the picture uses a font of the reader's machine instead.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)


def main() -> None:
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        for number, arguments in enumerate(COMMANDS):
            question = [f'"{one}"' if " " in one else one for one in arguments]
            console.print(Text.assemble(("$ ", "green"), ("densecli " + " ".join(question), "bold")))
            console.print(Text.from_ansi(run(arguments, Path(folder)).strip("\n")))
            if number < len(COMMANDS) - 1:
                console.print()
    PICTURE.write_text(console.export_svg(title="densecli", code_format=FORMAT), encoding="utf-8")
    print(f"wrote {PICTURE.relative_to(PICTURE.parent.parent)}")


def run(arguments: tuple[str, ...], folder: Path) -> str:
    """Return what a command shows on a terminal; its messages on stderr are left out."""
    ours, theirs = pty.openpty()
    settings = {**os.environ, "TERM": "xterm-256color", "COLUMNS": str(WIDTH), "COLORTERM": "truecolor"}
    settings.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "densecli", *arguments]
    with subprocess.Popen(
        command, cwd=folder, env=settings, stdin=theirs, stdout=theirs, stderr=subprocess.DEVNULL
    ) as process:
        os.close(theirs)
        shown = bytearray()
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return shown.decode().replace("\r\n", "\n")


if __name__ == "__main__":
    main()
