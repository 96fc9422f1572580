"""The logs of local processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.engines.embedded import logs


@pytest.mark.parametrize(
    ("tail", "lines"), [("", ["a", "b", "c"]), ("2", ["b", "c"]), ("9", ["a", "b", "c"]), ("0", [])]
)
def test_as_many_lines_as_were_asked_for(tmp_path: Path, tail: str, lines: list[str]) -> None:
    log = tmp_path / "store.log"
    log.write_text("a\nb\nc\n")
    assert list(logs.follow({"store": log}, follow=False, tail=tail)) == [f"store  | {line}" for line in lines]


def test_a_last_line_without_an_end_is_shown_where_nothing_more_is_awaited(tmp_path: Path) -> None:
    log = tmp_path / "store.log"
    log.write_text("a\r\nb \u2028 c")
    assert list(logs.follow({"store": log}, follow=False, tail="")) == ["store  | a", "store  | b \u2028 c"]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "PAUSE", 0.001)


def _append(log: Path, data: bytes) -> None:
    with log.open("ab") as stream:
        stream.write(data)


class NothingMore(Exception):
    """All pieces are written."""


def _followed(log: Path, pieces: Iterator[bytes], patch: pytest.MonkeyPatch) -> Iterator[str]:
    """What is shown while these pieces are written, each after the one before was read."""

    def write_next(_: float) -> None:
        piece = next(pieces, None)
        if piece is None:
            raise NothingMore
        _append(log, piece)

    patch.setattr("arcctl.engines.embedded.logs.time.sleep", write_next)
    with contextlib.suppress(NothingMore):
        yield from logs.follow({"store": log, "nobody": log.parent / "no.log"}, follow=True, tail="")


def test_a_line_that_comes_in_pieces_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, snowman = tmp_path / "store.log", "\u2603".encode()
    log.write_bytes(b"first ha")
    pieces = (b"lf\nsec", b"ond ", snowman[:2], snowman[2:] + b" end\nthird")
    shown = list(_followed(log, iter(pieces), monkeypatch))
    assert shown == ["store  | first half", "store  | second \u2603 end"]


def test_nothing_is_missed_when_the_file_is_renamed_and_a_new_one_is_begun(tmp_path: Path) -> None:
    log, old = tmp_path / "store.log", tmp_path / "store.log.1"
    log.write_bytes(b"a\n")
    shown = logs.follow({"store": log}, follow=True, tail="")
    assert next(shown) == "store  | a"
    _append(log, b"b\nc ha")
    log.rename(old)
    log.write_bytes(b"lf\nd, longer than all that was in the old file\n")
    assert [next(shown) for _ in range(3)] == [
        "store  | b",
        "store  | c half",
        "store  | d, longer than all that was in the old file",
    ]


def test_an_emptied_file_is_read_from_its_start(tmp_path: Path) -> None:
    log = tmp_path / "store.log"
    log.write_bytes(b"a long first line\n")
    shown = logs.follow({"store": log}, follow=True, tail="")
    assert next(shown) == "store  | a long first line"
    log.write_bytes(b"b\n")
    assert next(shown) == "store  | b"


@pytest.mark.parametrize(
    ("starts", "size"),
    [("4 100\n", 100), ("4 100\n5 200\n", 100), ("4 100\n5 200\n6 300\n", 200), ("4\n5\n", 0), ("", 0)],
    ids=["first start", "again after a crash", "again and again", "of an earlier arcctl", "not started"],
)
def test_a_run_begins_where_the_log_ended_before_it(tmp_path: Path, starts: str, size: int) -> None:
    """With the one that crashed: the start after it may not have printed anything yet."""
    (tmp_path / "starts").write_text(starts)
    assert logs.last_run(tmp_path / "starts") == size
    assert logs.last_run(tmp_path / "no such file") == 0


@pytest.mark.parametrize(
    ("start", "lines"), [(6, ["new"]), (10, []), (11, ["old 1", "new"])], ids=["a run", "silent", "begun anew"]
)
def test_lines_before_a_run_are_left_out(tmp_path: Path, start: int, lines: list[str]) -> None:
    log = tmp_path / "store.log"
    log.write_text("old 1\nnew\n")
    found = logs.follow({"store": log}, follow=False, tail="5", start=start)
    assert list(found) == [f"store  | {line}" for line in lines]


@pytest.mark.parametrize(
    ("starts", "size"), [(b"1 0\n2 20\n3 40\n", 20), (b"1\n2\n", 0), (b"1 0\n2 \xff[\n3 x\n", 0), (b"", 0)]
)
def test_where_the_last_run_begins_is_known_from_the_starts_as_far_as_they_can_be_read(
    tmp_path: Path, starts: bytes, size: int
) -> None:
    (tmp_path / "starts").write_bytes(starts)
    assert logs.last_run(tmp_path / "starts") == size
