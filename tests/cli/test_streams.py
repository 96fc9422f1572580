"""Standard streams that nobody reads, that are closed, or that lead to a full disk: never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest

from tests.cli.command_line import PROGRAM, CommandLine, Done, container, serving

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


def _run(
    cli: CommandLine, *words: str, closed: str = "", unbuffered: str = "", more: Mapping[str, str] = {}, **streams: Any
) -> Done:
    """The program, as a shell starts it; streams that are not given are read here."""
    here = {"PATH": cli.docker.path, "ARCCTL_ENGINE": "docker", "NO_COLOR": "1", "PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(
        ("sh", "-c", f'exec "$@" {closed}', "sh", PROGRAM, *words),
        cwd=cli.directory,
        env={**os.environ, **here, **more},
        check=False,
        encoding=more.get("PYTHONIOENCODING", "utf-8"),
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


HEALTHY = ("health", "loki")
SHOWN = (
    HEALTHY,
    (*HEALTHY, "--json"),
    ("ps",),
    ("doctor",),
    ("up", "loki", "--dry-run"),
    ("engine", "list"),
    ("--help",),
)
UNUSUAL = ({"PYTHONIOENCODING": "latin-1"}, {"LC_ALL": "C", "PYTHONUTF8": "0"})
WORDS = re.compile(r"[a-z]{3,}")


@pytest.mark.parametrize("words", SHOWN, ids=" ".join)
def test_a_stream_that_is_not_utf_8_changes_no_result_and_no_word(cli: CommandLine, words: tuple[str, ...]) -> None:
    """Not a symbol, but the word beside it, says what is so."""
    with serving() as port:
        cli.engine(container(port=port))
        here = {"LOKI_HOST_PORT": str(port)}
        wanted, *found = (_run(cli, *words, more={**here, **unusual}) for unusual in ({}, *UNUSUAL))
    assert wanted.code == 0
    for done in found:
        assert (done.code, "Traceback" in done.err) == (wanted.code, False)
        assert WORDS.findall(done.out) == WORDS.findall(wanted.out)


def test_each_symbol_has_a_spelling_where_the_encoding_lacks_it(cli: CommandLine) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        here = {"LOKI_HOST_PORT": str(port), "PYTHONIOENCODING": "latin-1"}
        assert "loki     + healthy" in _run(cli, *HEALTHY, more=here).out


@pytest.mark.parametrize("words", SHOWN[:5], ids=" ".join)
def test_a_healthy_platform_is_healthy_also_where_every_stream_is_closed(
    cli: CommandLine, words: tuple[str, ...]
) -> None:
    with serving() as port:
        cli.engine(container(port=port))
        here = {"LOKI_HOST_PORT": str(port)}
        wanted, *found = (_run(cli, *words, more=here, closed=c) for c in ("", "<&-", "<&- >&- 2>&-"))
    assert [(done.code, "Traceback" in done.err) for done in found] == [(wanted.code, False)] * len(found)


@pytest.mark.parametrize("given", [b"\xff\n", b"caf\xe9"])
def test_input_that_is_no_text_is_refused_and_changes_nothing(cli: CommandLine, given: bytes) -> None:
    with (cli.directory / "given").open("w+b") as stdin:
        stdin.write(given)
        stdin.seek(0)
        done = _run(cli, "config", "set", "redis", "password", "-", stdin=stdin)
    place = given.index(max(given))
    assert (done.code, done.out) == (2, "")
    assert done.err == f"error: stdin: not UTF-8 text at byte {place}\nhint: send it as UTF-8: iconv -t UTF-8\n"


def test_a_program_in_run_finds_an_open_stream_where_the_shell_closed_it(cli: CommandLine) -> None:
    """Else the first file that it opens gets the number, and what it prints goes there."""
    place = cli.directory / "opened"
    show = f"import os; to = os.readlink('/proc/self/fd/1'); open({str(place)!r}, 'w').write(to)"
    done = _run(cli, "run", sys.executable, "-c", show, closed=">&-")
    assert (done.code, place.read_text()) == (0, "/dev/null")


@every_command
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_full_disk_behind_stdout_is_one_error(cli: CommandLine, words: tuple[str, ...], unbuffered: str) -> None:
    cli.engine()
    wanted = _run(cli, *words)
    with _full() as device:
        done = _run(cli, *words, unbuffered=unbuffered, stdout=device)
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
