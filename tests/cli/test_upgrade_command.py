"""`upgrade`: the printed plan, and what is refused before anything changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcctl import services
from tests.cli.command_line import CommandLine, Done, container

REDIS = services.load().components()["redis"].container.image
OLD, NEWER = "redis:8.0.0-alpine", "8.99.0-alpine"


def _of(key: str, image: str) -> dict[str, Any]:
    """A running container that was created from this image."""
    item = container(key)
    item["Config"]["Image"], item["Image"] = image, "id-of-old"
    return item


def _unchanged(cli: CommandLine) -> bool:
    """Whether the engine was only asked."""
    asked = ("inspect", "container ls", "volume ls", "config --hash", "version", "info")
    return all(any(word in call for word in asked) for call in cli.docker.calls)


def test_the_plan_is_data_with_a_cause_for_each_container(cli: CommandLine) -> None:
    cli.engine(_of("redis", OLD), container("redis-exporter"))
    assert cli.arcctl("upgrade", "--dry-run") == Done(0, f"upgrade redis: {OLD} -> {REDIS} (pinned by arcctl)\n", "")
    document = json.loads(cli.arcctl("upgrade", "--dry-run", "--json").out)
    assert (document["schema"], document["status"]) == ("arcctl.upgrade/v1", "planned")
    assert document["moves"] == [
        {
            "key": "redis",
            "service": "redis",
            "kind": "upgrade",
            "before": OLD,
            "before_id": "id-of-old",
            "after": REDIS,
            "cause": "pinned by arcctl",
        }
    ]


def test_without_another_image_there_is_nothing_to_upgrade(cli: CommandLine) -> None:
    cli.engine(container("redis"))
    message = "nothing to upgrade: everything that runs is what the project declares\n"
    assert cli.arcctl("upgrade") == Done(0, "", message)


def test_a_script_without_yes_gets_the_plan_and_a_refusal(cli: CommandLine) -> None:
    cli.engine(_of("redis", f"redis:{NEWER}"))
    assert cli.arcctl("upgrade") == Done(
        2,
        "",
        f"downgrade redis: redis:{NEWER} -> {REDIS} (pinned by arcctl)\n"
        "an older server may not be able to read the data of a newer one\n"
        "error: refusing to change what runs without confirmation\n"
        "hint: arcctl upgrade --yes\n",
    )
    assert _unchanged(cli)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("--to", "redsi=1"), "no image is chosen by the name 'redsi'", "did you mean redis?"),
        (("--to", "redis"), "--to takes SERVICE=TAG, not 'redis'", "arcctl upgrade --to redis=TAG"),
        (("--to", "=1"), "--to takes SERVICE=TAG, not ''", "arcctl upgrade --to SERVICE=TAG"),
        (("--to", "redis=a/b:1"), "'a/b:1' is not a valid image tag", "arcctl images outdated redis"),
        (
            ("--to", "loki=9.9.9"),
            "loki does not exist, so it cannot be upgraded",
            "arcctl config set loki IMAGE_TAG 9.9.9, then arcctl up loki",
        ),
        (("redsi",), "unknown service 'redsi'", "did you mean redis?"),
        (("undo",), "there is no upgrade to undo", "arcctl upgrade --dry-run"),
        (
            ("undo", "redis"),
            "undo takes back the whole last upgrade: it takes no names and no --to",
            "arcctl upgrade undo",
        ),
    ],
)
def test_bad_words_are_refused(cli: CommandLine, words: tuple[str, ...], error: str, hint: str) -> None:
    cli.engine(container("redis"))
    assert cli.arcctl("upgrade", *words) == Done(2, "", f"error: {error}\nhint: {hint}\n")
    assert _unchanged(cli)


def test_a_major_upgrade_of_postgres_is_refused_with_the_way_to_do_it(cli: CommandLine) -> None:
    cli.engine(container("postgres"))
    tag = "0.9.0-pg99-bookworm"
    assert cli.arcctl("upgrade", "--to", f"postgres={tag}", "--yes") == Done(
        1,
        "",
        f"error: postgres: its data has version 18, which pgvector/pgvector:{tag} cannot read\n"
        f"hint: arcctl backup create, arcctl clean, arcctl config set postgres IMAGE_TAG {tag}, arcctl up --stack, "
        "arcctl backup restore NAME\n",
    )
    assert _unchanged(cli)
    (cli.directory / "config" / "postgres" / ".env").write_text(f"POSTGRES_IMAGE_TAG={tag}\n")
    assert "its data has version 18" in cli.arcctl("up", "postgres").err


def test_files_of_another_arcctl_are_refused(cli: CommandLine) -> None:
    cli.engine(_of("redis", OLD))
    path = cli.directory / "compose" / "stack.yaml"
    path.write_text(path.read_text().replace("REDIS_IMAGE_TAG:-8", "REDIS_IMAGE_TAG:-7"))
    assert cli.arcctl("upgrade") == Done(
        2,
        "",
        "error: not as this version of arcctl renders them: compose/stack.yaml\n"
        "hint: arcctl render, then arcctl upgrade\n",
    )


def test_another_tag_in_the_settings_is_in_the_plan_of_up(cli: CommandLine) -> None:
    cli.engine(container("redis"))
    assert cli.arcctl("config", "set", "redis", "image_tag", NEWER).code == 0
    planned = cli.arcctl("up", "redis", "--dry-run").out
    assert planned.splitlines()[0] == f"recreate redis: image changes from {REDIS} to redis:{NEWER}"
    shown = json.loads(cli.arcctl("config", "diff", "--json").out)["settings"]
    assert [(s["name"], s["value"], s["origin"]) for s in shown] == [("REDIS_IMAGE_TAG", NEWER, "config/redis/.env")]
