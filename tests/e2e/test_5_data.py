"""`down` keeps all data; `clean` lists what it destroys and asks first."""

from __future__ import annotations

import psycopg

from tests.e2e.driver import Platform


def _connect(stack: Platform) -> psycopg.Connection[tuple[object, ...]]:
    password = stack.secrets()["POSTGRES_APP_PASSWORD"]
    return psycopg.connect(host="127.0.0.1", user="arc", dbname="arc", password=password, sslmode="disable")


def test_data_is_still_there_after_down_and_up(stack: Platform) -> None:
    with _connect(stack) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (v vector(3))")
        connection.execute("INSERT INTO kept VALUES ('[1,2,3]')")
    volumes = stack.docker("volume", "ls", "-q")
    stack.arcctl("down").ok()
    assert stack.docker("ps", "-aq", "--filter", "label=com.docker.compose.project=arc") == ""
    assert stack.docker("volume", "ls", "-q") == volumes
    stack.arcctl("up", "--stack").ok()
    with _connect(stack) as connection:
        assert connection.execute("SELECT v::text FROM kept").fetchone() == ("[1,2,3]",)
    assert stack.health("all")["status"] == "healthy"


def test_clean_lists_what_it_would_destroy_and_refuses_without_a_terminal(stack: Platform) -> None:
    done = stack.arcctl("clean")
    assert done.code == 2
    assert "data volumes: " in done.err
    assert "arc_postgres_data" in done.err
    assert "hint: arcctl clean --yes" in done.err
    assert stack.health("all")["status"] == "healthy"


def test_clean_yes_destroys_containers_and_data(stack: Platform) -> None:
    stack.arcctl("clean", "--yes").ok()
    mine = ("--filter", "label=com.docker.compose.project=arc")
    assert stack.docker("ps", "-aq", *mine) == ""
    assert stack.docker("volume", "ls", "-q", *mine) == ""
