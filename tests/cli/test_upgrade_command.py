"""`upgrade`: the plan as it is printed, and what is refused before anything is touched."""

from __future__ import annotations

import json
from typing import Any

import pytest

from arcctl import services
from tests.cli.stage import Done, Stage, container

REDIS = services.load().containers()["redis"].image
OLD, NEWER = "redis:8.0.0-alpine", "8.99.0-alpine"


def _of(key: str, image: str) -> dict[str, Any]:
    """A container that runs, made from another image than the declaration's."""
    item = container(key)
    item["Config"]["Image"], item["Image"] = image, "id-of-old"
    return item


def _untouched(stage: Stage) -> bool:
    """Whether the engine was only asked."""
    asked = ("inspect", "volume ls", "config --hash", "version", "info")
    return all(any(word in call for word in asked) for call in stage.docker.calls)


def test_the_plan_is_data_with_a_cause_for_each_container(stage: Stage) -> None:
    stage.engine(_of("redis", OLD), container("redis-exporter"))
    assert stage.arcctl("upgrade", "--dry-run") == Done(0, f"upgrade redis: {OLD} -> {REDIS} (arcctl pins it)\n", "")
    document = json.loads(stage.arcctl("upgrade", "--dry-run", "--json").out)
    assert (document["schema"], document["status"]) == ("arcctl.upgrade/v1", "planned")
    assert document["moves"] == [
        {
            "key": "redis",
            "service": "redis",
            "kind": "upgrade",
            "before": OLD,
            "before_id": "id-of-old",
            "after": REDIS,
            "cause": "arcctl pins it",
        }
    ]


def test_what_runs_as_declared_has_nothing_to_upgrade(stage: Stage) -> None:
    stage.engine(container("redis"))
    assert stage.arcctl("upgrade") == Done(0, "", "nothing to upgrade: what runs is what this home declares\n")


def test_without_a_person_it_says_what_it_would_do_and_refuses(stage: Stage) -> None:
    stage.engine(_of("redis", f"redis:{NEWER}"))
    assert stage.arcctl("upgrade") == Done(
        2,
        "",
        f"downgrade redis: redis:{NEWER} -> {REDIS} (arcctl pins it)\n"
        "an older server may not read what a newer one wrote\n"
        "error: refusing to change what runs without being asked by a person\n"
        "hint: arcctl upgrade --yes\n",
    )
    assert _untouched(stage)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (("--to", "redsi=1"), "no image has the name redsi", "did you mean redis?"),
        (("--to", "redis"), "--to takes SERVICE=TAG, not 'redis'", "arcctl upgrade --to redis=TAG"),
        (("--to", "=1"), "--to takes SERVICE=TAG, not ''", "arcctl upgrade --to SERVICE=TAG"),
        (("--to", "redis=a/b:1"), "'a/b:1' is no tag", "arcctl images outdated redis"),
        (
            ("--to", "loki=9.9.9"),
            "loki does not exist",
            "arcctl config set loki IMAGE_TAG 9.9.9, then arcctl up loki",
        ),
        (("redsi",), "unknown service 'redsi'", "did you mean redis?"),
        (("undo",), "there is no upgrade to undo", "arcctl upgrade --dry-run"),
        (
            ("undo", "redis"),
            "undo takes back the whole last upgrade, and no names or tags with it",
            "arcctl upgrade undo",
        ),
    ],
)
def test_bad_words_are_refused(stage: Stage, words: tuple[str, ...], error: str, hint: str) -> None:
    stage.engine(container("redis"))
    assert stage.arcctl("upgrade", *words) == Done(2, "", f"error: {error}\nhint: {hint}\n")
    assert _untouched(stage)


def test_a_major_upgrade_of_postgres_is_refused_with_the_way_to_do_it(stage: Stage) -> None:
    stage.engine(container("postgres"))
    tag = "0.9.0-pg99-bookworm"
    assert stage.arcctl("upgrade", "--to", f"postgres={tag}", "--yes") == Done(
        1,
        "",
        f"error: postgres: its data is of version 18, which pgvector/pgvector:{tag} cannot read\n"
        f"hint: arcctl backup create, arcctl clean, arcctl config set postgres IMAGE_TAG {tag}, arcctl up --stack, "
        "arcctl backup restore NAME\n",
    )
    assert _untouched(stage)
    (stage.home / "config" / "postgres" / ".env").write_text(f"POSTGRES_IMAGE_TAG={tag}\n")
    assert "its data is of version 18" in stage.arcctl("up", "postgres").err


def test_files_of_another_arcctl_are_refused(stage: Stage) -> None:
    stage.engine(_of("redis", OLD))
    path = stage.home / "compose" / "stack.yaml"
    path.write_text(path.read_text().replace("REDIS_IMAGE_TAG:-8", "REDIS_IMAGE_TAG:-7"))
    assert stage.arcctl("upgrade") == Done(
        2,
        "",
        "error: not as this arcctl declares: compose/stack.yaml\nhint: arcctl render, then arcctl upgrade\n",
    )


def test_another_tag_in_the_settings_is_what_runs_next_and_the_plan_of_up_says_so(stage: Stage) -> None:
    stage.engine(container("redis"))
    assert stage.arcctl("config", "set", "redis", "image_tag", NEWER).code == 0
    planned = stage.arcctl("up", "redis", "--dry-run").out
    assert planned.splitlines()[0] == f"recreate redis: image changes from {REDIS} to redis:{NEWER}"
    shown = json.loads(stage.arcctl("config", "diff", "--json").out)["settings"]
    assert [(s["name"], s["value"], s["origin"]) for s in shown] == [("REDIS_IMAGE_TAG", NEWER, "config/redis/.env")]
