"""Draws the output of commands: `python docs/record.py FILE.svg "arcctl up --stack" "arcctl health all"`."""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 118


def screen(command: str) -> str:
    """What a command prints to a terminal, with colours."""
    environment = {**os.environ, "COLUMNS": str(WIDTH), "TERM": "xterm-256color", "ARCCTL_PROGRESS": "plain"}
    ours, theirs = pty.openpty()
    child = subprocess.Popen(command, shell=True, stdout=theirs, stderr=theirs, stdin=theirs, env=environment)  # noqa: S602
    os.close(theirs)
    shown = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    child.wait()
    return shown.decode(errors="replace").replace("\r\n", "\n")


def main() -> None:
    path, *commands = sys.argv[1:]
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    for number, command in enumerate(commands):
        console.print(Text(f"{'' if not number else chr(10)}$ {command}", style="bold"))
        console.print(Text.from_ansi(screen(command).rstrip()))
    svg = console.export_svg(title="arcctl")
    Path(path).write_text(re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL))  # no external font


if __name__ == "__main__":
    main()
