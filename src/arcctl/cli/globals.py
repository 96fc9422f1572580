"""The options that stand before a command's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from arcctl.terminal.progress import Display


@dataclass(frozen=True)
class Globals:
    """What stands before the command's name."""

    directory: str = ""
    project_name: str = ""
    insecure_demo: bool = False
    engine: str = "auto"
    bind_address: str = ""
    engine_typed: bool = False
    """On the command line, rather than set in the environment."""
    telemetry: bool = False
    progress: str = "auto"
    verbose: bool = False

    def display(self) -> Display:
        """What shows the events of the command."""
        from arcctl.terminal.progress import Mode, display

        return display(Mode(self.progress), verbose=self.verbose)


def typed_options(ctx: typer.Context) -> Globals:
    """The options of a line that is being completed: nothing has run yet that would have stored them."""
    typed = ctx.find_root().params
    return Globals(
        directory=typed.get("project_directory") or "",
        project_name=typed.get("project_name") or "",
        engine=typed.get("engine") or "auto",
    )
