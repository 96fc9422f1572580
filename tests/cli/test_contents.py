"""`db`, `topics`, `flags`, `identities`: what bad input and services that do not run are answered with."""

from __future__ import annotations

import pytest

from tests.cli.stage import Done, Stage


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("db", "create", "x;drop"), "'x;drop' is not a name for a database"),
        (("db", "create", "pg_x"), "'pg_x' is not a name for a database"),
        (("topics", "create", "a b"), "'a b' is not a name for a topic"),
        (("topics", "create", "nats:A", "--retention", "soon"), "'soon' is not a length of time"),
        (("topics", "create", "nats:A", "--subject", "a..b"), "'a..b' is not a subject"),
        (("topics", "create", "both"), "'both' could be nats:both or pulsar:public/default/both"),
        (("topics", "produce", "nats:A", "x", "--subject", "a.>"), "'a.>' is not a subject"),
        (("topics", "consume", "nats:a/b"), "'nats:a/b' is not a name for a topic"),
        (("topics", "list", "--in", "nat"), "no broker 'nat'"),
        (("flags", "on", "a/b"), "'a/b' is not a name for a flag"),
        (("db", "migrate", "nats"), "nats has no migration to run: it migrates by itself, or has nothing to migrate"),
        (("db", "migrate", "krato"), "unknown service 'krato'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_bad_word_is_exit_2_before_anything_is_asked(stage: Stage, words: tuple[str, ...], message: str) -> None:
    stage.engine()
    done = stage.arcctl(*words)
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
    stage: Stage, words: tuple[str, ...], service: str
) -> None:
    stage.engine()
    assert stage.arcctl(*words) == Done(1, "", f"error: {service} is absent\nhint: arcctl up {service}\n")


def test_a_database_that_could_not_be_made_leaves_no_password_behind(stage: Stage) -> None:
    stage.engine()
    secrets = stage.home / ".arcctl" / "secrets.env"
    before = secrets.read_text()
    assert stage.arcctl("db", "create", "shop").code == 1
    assert secrets.read_text() == before


@pytest.mark.parametrize("words", [("consume", "A", "--from", "middle"), ("consume", "A", "-n", "-1"), ("produce",)])
def test_a_word_that_is_no_choice_is_exit_2(stage: Stage, words: tuple[str, ...]) -> None:
    done = stage.arcctl("topics", *words)
    assert (done.code, done.out) == (2, "")
