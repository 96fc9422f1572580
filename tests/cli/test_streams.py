"""Standard streams that nobody reads, that are closed, or that lead to a full disk: never a traceback."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.cli.command_line import PROGRAM, CommandLine, Done

COMMANDS = (
    ("--help",),
    ("schema", "health"),
    ("health", "--json"),
    ("env",),
    ("config", "--no-such-option"),
)
READER_GONE = 141


@contextmanager
def _unread() -> Iterator[int]:
    """The end of a pipe that nobody reads any more."""
    reading, writing = os.pipe()
    os.close(reading)
    yield writing
    os.close(writing)


@contextmanager
def _full() -> Iterator[int]:
    with open("/dev/full", "wb") as device:
        yield device.fileno()


def _run(cli: CommandLine, *words: str, closed: str = "", unbuffered: str = "", **streams: Any) -> Done:
    """The program, as a shell starts it; streams that are not given are read here."""
    here = {"PATH": cli.docker.path, "ARCCTL_ENGINE": "docker", "NO_COLOR": "1", "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        ("sh", "-c", f'exec "$@" {closed}', "sh", PROGRAM, *words),
        cwd=cli.directory,
        env={**os.environ, **here},
        check=False,
        text=True,
        timeout=30,
        **{"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
    )
    return Done(done.returncode, done.stdout or "", done.stderr or "")


every_command = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


@every_command
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_where_nobody_reads_a_command_ends_without_a_word(
    cli: CommandLine, words: tuple[str, ...], unbuffered: str
) -> None:
    cli.engine()
    wanted = _run(cli, *words)
    with _unread() as nowhere:
        done = _run(cli, *words, unbuffered=unbuffered, stdout=nowhere)
    assert (done.code, done.err) == (READER_GONE if wanted.out else wanted.code, wanted.err)


@every_command
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing_else(cli: CommandLine, words: tuple[str, ...], closed: str) -> None:
    cli.engine()
    wanted = _run(cli, *words)
    done = _run(cli, *words, closed=closed)
    out, err = ("" if part in f" {closed}" else text for part, text in ((" >", wanted.out), ("2>", wanted.err)))
    assert (done.code, bool(done.out), done.err) == (wanted.code, bool(out), err)


@every_command
def test_a_full_disk_behind_stdout_is_one_error(cli: CommandLine, words: tuple[str, ...]) -> None:
    cli.engine()
    wanted = _run(cli, *words)
    with _full() as device:
        done = _run(cli, *words, stdout=device)
    told = "error: stdout: no space left on device\nhint: free space where it goes, or send it elsewhere\n"
    assert (done.code, done.err) == ((1, wanted.err + told) if wanted.out else (wanted.code, wanted.err))


@pytest.mark.parametrize("nowhere", [_unread, _full])
def test_work_goes_on_where_nobody_reads_its_progress(
    cli: CommandLine, nowhere: Callable[[], AbstractContextManager[int]]
) -> None:
    """Half a change would be worse than a change that nobody watched."""
    with nowhere() as stderr:
        done = _run(cli, "config", "set", "redis", "host_port", "6399", stderr=stderr)
        shown = _run(cli, "config", "show", "--json", stderr=stderr)
    assert (done.code, shown.code) == (0, 0)
    assert "6399" in shown.out
