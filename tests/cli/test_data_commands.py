"""`db`, `topics`, `flags`, `identities`: bad input, and services that do not run."""

from __future__ import annotations

import pytest

from tests.cli.command_line import CommandLine, Done


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("db", "create", "x;drop"), "'x;drop' is not a valid database name"),
        (("db", "create", "pg_x"), "'pg_x' is not a valid database name"),
        (("topics", "create", "a b"), "'a b' is not a valid topic name"),
        (("topics", "create", "nats:A", "--retention", "soon"), "'soon' is not a valid duration"),
        (("topics", "create", "nats:A", "--subject", "a..b"), "'a..b' is not a valid subject"),
        (("topics", "create", "both"), "'both' could be nats:both or pulsar:public/default/both"),
        (("topics", "produce", "nats:A", "x", "--subject", "a.>"), "'a.>' is not a valid subject"),
        (("topics", "consume", "nats:a/b"), "'nats:a/b' is not a valid topic name"),
        (("topics", "list", "--in", "nat"), "there is no broker 'nat'"),
        (("flags", "on", "a/b"), "'a/b' is not a valid flag name"),
        (("db", "migrate", "nats"), "nats has no migration to run"),
        (("db", "migrate", "krato"), "unknown service 'krato'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_exit_2_before_a_server_is_asked(cli: CommandLine, words: tuple[str, ...], message: str) -> None:
    cli.engine()
    done = cli.arcctl(*words)
    assert (done.code, done.out, done.err.splitlines()[0]) == (2, "", f"error: {message}")
    assert done.err.splitlines()[1].startswith("hint: ")


@pytest.mark.parametrize(
    ("words", "service"),
    [
        (("db", "list"), "postgres"),
        (("db", "create", "shop"), "postgres"),
        (("db", "drop", "shop", "--yes"), "postgres"),
        (("db", "init"), "postgres"),
        (("db", "migrate"), "postgres"),
        (("topics", "list", "--in", "nats"), "nats"),
        (("topics", "create", "nats:A"), "nats"),
        (("topics", "delete", "pulsar:a/b/c", "--yes"), "pulsar"),
        (("topics", "produce", "nats:A", "x"), "nats"),
        (("topics", "consume", "nats:A"), "nats"),
        (("flags", "list", "--json"), "unleash"),
        (("flags", "off", "search"), "unleash"),
        (("identities", "list"), "kratos"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_service_that_does_not_run_is_exit_1_with_the_command_that_starts_it(
    cli: CommandLine, words: tuple[str, ...], service: str
) -> None:
    cli.engine()
    assert cli.arcctl(*words) == Done(1, "", f"error: {service} is not running\nhint: arcctl up {service}\n")


def test_a_database_that_was_not_created_leaves_no_password(cli: CommandLine) -> None:
    cli.engine()
    secrets = cli.directory / ".arcctl" / "secrets.env"
    before = secrets.read_text()
    assert cli.arcctl("db", "create", "shop").code == 1
    assert secrets.read_text() == before


@pytest.mark.parametrize("words", [("consume", "A", "--from", "middle"), ("consume", "A", "-n", "-1"), ("produce",)])
def test_an_invalid_option_is_exit_2(cli: CommandLine, words: tuple[str, ...]) -> None:
    done = cli.arcctl("topics", *words)
    assert (done.code, done.out) == (2, "")
