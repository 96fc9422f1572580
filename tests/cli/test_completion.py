"""What the shell offers for a word that was begun."""

from __future__ import annotations

import pytest

from tests.cli.command_line import CommandLine


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("config set re", ["redis"]),
        ("config set im", ["images"]),
        ("config set images r", ["registry"]),
        ("config set imagse r", []),
        ("config set redis ho", ["host_port"]),
        ("config set redis EXP", ["EXPORTER_IMAGE_TAG"]),
        ("config set REDIS_HO", ["REDIS_HOST_PORT="]),
        ("config set A=1 REDIS_HO", ["REDIS_HOST_PORT="]),
        ("shell ", ["nats", "postgres", "redis"]),
        ("open n", ["nats"]),
        ("open tr", ["traefik"]),
        ("open post", []),
    ],
)
def test_only_what_the_command_can_take_is_offered(cli: CommandLine, line: str, offered: list[str]) -> None:
    assert cli.completion(f"arcctl {line}") == offered


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("up we", ["web"]),
        ("config set we", ["web"]),
        ("config set web ima", ["image_tag"]),
        ("open we", ["web"]),
        ("upgrade --to we", ["web="]),
        ("secrets rotate WEB", ["WEB_DB_PASSWORD"]),
        ("service remove ", ["web"]),
    ],
)
def test_a_users_own_service_is_offered_like_the_others(cli: CommandLine, line: str, offered: list[str]) -> None:
    cli.engine()
    made = ("service", "add", "web", "--image", "nginx:1.29-alpine", "--port", "80", "--database", "--web")
    assert cli.arcctl(*made).code == 0
    assert cli.completion(f"arcctl {line}") == offered


@pytest.mark.parametrize("line", ["topics delete ", "db drop "])
def test_names_that_only_a_server_knows_stay_away_silently_where_none_answers(cli: CommandLine, line: str) -> None:
    cli.docker.says("*", err="Cannot connect to the Docker daemon", code=1)
    assert cli.completion(f"arcctl {line}") == []
