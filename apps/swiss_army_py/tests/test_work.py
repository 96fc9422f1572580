"""What the process says of itself where its system lacks a file."""

import resource
from pathlib import Path

import pytest
from opentelemetry.metrics import CallbackOptions

from swiss_army import work


def test_where_the_system_has_no_file_with_it_no_memory_is_reported(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(work, "STATM", tmp_path / "statm")
    assert list(work.resident_memory(CallbackOptions())) == []
    work.STATM.write_text("9 7 5 3 0 2 0\n")
    (observed,) = work.resident_memory(CallbackOptions())
    assert observed.value == 7 * resource.getpagesize()
