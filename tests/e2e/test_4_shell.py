"""`shell`, `open` and `top` on real servers."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from tests.e2e.driver import PROGRAM, Done, Platform, eventually
from tests.e2e.terminal import END, INTERRUPT, terminal


def _piped(platform: Platform, text: str, *words: str) -> Done:
    done = subprocess.run(
        (PROGRAM, *words),
        cwd=platform.directory,
        env=dict(platform.environment),
        input=text,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_a_shell_takes_statements_from_a_pipe_and_words_from_the_command_line(either: Platform) -> None:
    assert _piped(either, "SELECT 40 + 2;\n", "shell", "postgres", "--", "-tA").ok().out == "42\n"
    assert either.arcctl("shell", "postgres", "--", "-tAc", "select current_user").ok().out == "arc\n"
    root = either.arcctl("shell", "postgres", "--as", "postgres", "--", "-tAc", "select current_user").ok()
    assert root.out == "postgres\n"
    where = ("shell", "postgres", "--as", "postgres", "--", "-d", "kratos", "-tAc", "select current_database()")
    assert either.arcctl(*where).ok().out == "kratos\n"


REDIS = """\
SET arcctl:connect 'two words'
GET arcctl:connect
GET arcctl:nothing
RPUSH arcctl:list a "b c"
LRANGE arcctl:list 0 -1
"""


def test_commands_of_redis_come_from_a_pipe_and_from_the_command_line(either: Platform) -> None:
    assert _piped(either, REDIS, "shell", "redis").ok().out == "OK\ntwo words\n\n2\na\nb c\n"
    assert either.arcctl("shell", "redis", "--", "DEL", "arcctl:connect", "arcctl:list").ok().out == "2\n"


def test_the_prompt_for_redis_reports_errors_and_never_hangs(local: Platform) -> None:
    done = _piped(local, "MONITOR\nDANCE\nGET 'half\nBLPOP arcctl:nothing 0.1\n", "shell", "redis")
    assert (done.code, done.out) == (1, "\n")
    first, second, third = done.err.splitlines()
    assert first == "error: MONITOR never ends: only commands with one reply work here"
    assert second.startswith("error: unknown command 'DANCE'")
    assert third == "error: GET 'half: no closing quotation"


def test_the_prompt_for_nats_publishes_subscribes_requests_and_reads_a_stream(either: Platform) -> None:
    script = "subscribe connect.>\nreply connect.ask pong\npublish connect.x hello  you\nrequest connect.ask ping\n"
    done = _piped(either, script, "shell", "nats").ok()
    assert sorted(done.out.splitlines()) == ["connect.ask: ping", "connect.x: hello you", "pong"]
    either.arcctl("shell", "nats", "--", "publish", "agents.connect", "kept").ok()
    assert either.arcctl("shell", "nats", "--", "read", "AGENTS", "1").ok().out.endswith(" agents.connect: kept\n")
    assert "AGENTS: agents.>, " in _piped(either, "streams\n", "shell", "nats").ok().out


def test_a_script_for_nats_continues_after_an_error_and_exits_with_1(either: Platform) -> None:
    done = _piped(either, "request nobody.there x\nread NOTHING\ndance\nstreams\n", "shell", "nats")
    assert done.code == 1
    assert done.err == (
        "error: no responders available for request\nerror: stream not found\n"
        "error: there is no command 'dance'\nhint: help\n"
    )
    assert "AGENTS" in done.out


def test_in_the_prompt_for_nats_ctrl_c_ends_only_the_line(either: Platform) -> None:
    with terminal(either, "shell", "nats") as person:
        person.expect("nats> ")
        person.type("subscribe a.b\n")
        person.expect("nats> ")
        person.type("publish a.b hi\n")
        person.expect("a.b: hi")  # before or after the next prompt
        person.type("dance\n")
        person.expect("there is no command 'dance'")
        person.expect("nats> ")
        person.type("half a line")
        person.expect("half a line")
        person.press(INTERRUPT, until="nats> ")
        person.type(END)
        assert person.ended() == 0


def test_in_the_client_of_postgres_ctrl_c_ends_the_query_and_not_the_client(either: Platform) -> None:
    with terminal(either, "shell", "postgres") as person:
        person.expect("arc=> ")
        person.type("SELECT 'now', pg_sleep(60);\n")
        person.expect("pg_sleep(60);")
        assert eventually(lambda: "pg_sleep(60)" in _queries(either))
        person.type(INTERRUPT)
        person.expect("canceling statement")
        person.expect("arc=> ")
        person.type("\\q\n")
        assert person.ended() == 0


def _queries(platform: Platform) -> str:
    with psycopg.connect(platform.variables()["DATABASE_URL"]) as connection:
        rows = connection.execute(
            "SELECT query FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid()"
        )
        return repr(rows.fetchall())


@contextlib.contextmanager
def _open_shell(platform: Platform, service: str) -> Iterator[subprocess.Popen[str]]:
    """A client that waits for its next line."""
    with subprocess.Popen(
        (PROGRAM, "shell", service),
        cwd=platform.directory,
        env=dict(platform.environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.communicate(timeout=30)


QUESTIONS = {"postgres": ("SELECT 40 + 2;", "42"), "redis": ("ECHO 42", "42"), "nats": ("streams", "AGENTS")}


@pytest.mark.parametrize("service", QUESTIONS)
def test_no_secret_is_in_a_process_list_while_a_shell_is_open(either: Platform, service: str) -> None:
    question, answer = QUESTIONS[service]
    with _open_shell(either, service) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{question}\n")
        process.stdin.flush()
        assert any(answer in line for line in iter(process.stdout.readline, ""))
        commands = _process_list()
        assert f"shell\0{service}" in commands
        assert [name for name, secret in either.secrets().items() if secret in commands] == []


def _process_list() -> str:
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            texts.append(path.read_text(errors="replace"))
    return "\n".join(texts)


def test_open_starts_the_browser_on_a_terminal_and_prints_the_address_to_a_pipe(
    either: Platform, tmp_path: Path
) -> None:
    seen = tmp_path / "seen"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {seen}\n')
    browser.chmod(0o755)
    address = f"http://127.0.0.1:{either.port(8222)}\n"
    assert either.arcctl("open", "nats", BROWSER=str(browser)).ok().out == address
    assert not seen.exists()
    with terminal(either, "open", "nats", BROWSER=str(browser)) as person:
        assert person.ended() == 0
    assert seen.read_text() == address
    assert httpx.get(address.strip(), trust_env=False, timeout=10).status_code == 200


def _top(platform: Platform, *words: str) -> dict[str, dict[str, Any]]:
    document = json.loads(platform.arcctl("top", *words, "--once", "--json").ok().out)
    return {row["name"]: row for row in document["containers"]}


def test_top_shows_memory_of_all_that_runs_and_disk_of_stores(either: Platform) -> None:
    running = {c["name"] for c in either.containers() if c["state"] == "running"}
    found = _top(either)
    assert found.keys() == running
    assert [name for name, row in found.items() if row["memory_bytes"] <= 0] == []
    assert found["postgres"]["disk_bytes"] > 20_000_000
    assert _top(either, "redis").keys() <= {"redis", "redis-exporter"}


def test_work_shows_as_cpu(either: Platform) -> None:
    busy = "DO $$ BEGIN FOR i IN 1..2000000000 LOOP NULL; END LOOP; END $$"
    with contextlib.suppress(psycopg.errors.QueryCanceled), _open_shell(either, "postgres") as process:
        assert process.stdin
        process.stdin.write(f"SET statement_timeout = '15s';\n{busy};\n")
        process.stdin.flush()
        assert eventually(lambda: _top(either, "postgres")["postgres"]["cpu_percent"] > 10, 12)


def test_top_refreshes_on_a_terminal_until_ctrl_c(either: Platform) -> None:
    with terminal(either, "top", "redis", "nats") as person:
        for _ in range(2):
            for word in ("MEMORY", "nats", "total"):
                person.expect(word)
        person.type(INTERRUPT)
        assert person.ended() == 0


@pytest.mark.parametrize("command", ["shell", "open", "top"])
def test_a_service_that_is_stopped_is_reported_with_the_command_that_starts_it(either: Platform, command: str) -> None:
    either.arcctl("down", "nats").ok()
    try:
        done = either.arcctl(command, "nats")
        assert (done.code, done.out, done.err) == (1, "", "error: nats is not running\nhint: arcctl up nats\n")
    finally:
        either.arcctl("up", "nats").ok()
