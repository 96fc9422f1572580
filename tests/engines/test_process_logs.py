"""The logs of local processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from arcctl.engines.embedded.processes import follow_logs


@pytest.mark.parametrize(
    ("tail", "lines"), [("", ["a", "b", "c"]), ("2", ["b", "c"]), ("9", ["a", "b", "c"]), ("0", [])]
)
def test_as_many_lines_as_were_asked_for(tmp_path: Path, tail: str, lines: list[str]) -> None:
    log = tmp_path / "store.log"
    log.write_text("a\nb\nc\n")
    assert list(follow_logs({"store": log}, follow=False, tail=tail)) == [f"store  | {line}" for line in lines]
