"""The plan, read as it prints: what is done to each container, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.core import graph, plan
from arcctl.core.observed import ContainerState, Observed
from tests.core.toy import TOY

HASHES = {key: f"hash-{key}" for key in TOY.containers()}
IMAGES = {c.image: f"id-{c.image}" for c in TOY.containers().values()}
RUNS = """\
keep store: runs
keep shop-db: is done
keep big-shop: runs
keep front: runs
keep shop-exporter: runs"""


def _settled() -> dict[str, ContainerState]:
    """What stands there after an `up` that went well."""
    found = {
        key: ContainerState(state="running", config_hash=HASHES[key], image=c.image, image_id=IMAGES[c.image])
        for key, c in TOY.containers().items()
    }
    return found | {"shop-db": replace(found["shop-db"], state="exited")}


def _plan(
    containers: dict[str, ContainerState], *asked: str, hashes: dict[str, str] = HASHES, images: dict[str, str] = IMAGES
) -> plan.Plan:
    services = graph.closure(asked or ("front",), TOY)
    return plan.make(services, TOY, Observed(containers), hashes, images)


def _printed(made: plan.Plan) -> list[str]:
    """One line per step; equals in the order of start may change places, so lines are compared sorted."""
    return sorted(map(str, made.steps))


def _changes(key: str, **changed: object) -> list[str]:
    settled = _settled()
    now = replace(settled[key], **changed)  # type: ignore[arg-type]
    return sorted(map(str, _plan(settled | {key: now}).changes))


def test_nothing_there_means_everything_is_created_each_after_its_needs() -> None:
    made = _plan({})
    assert _printed(made) == sorted(
        f"create {key}: does not exist" for key in ("store", "shop-db", "big-shop", "front", "shop-exporter")
    )
    places = [s.key for s in made.steps]
    assert all(places.index(need) < places.index(key) for key in places for need in made.needs[key])


def test_an_up_that_went_well_leaves_nothing_to_do() -> None:
    made = _plan(_settled())
    assert _printed(made) == sorted(RUNS.splitlines())
    assert made.changes == ()


def test_only_what_was_asked_for_and_what_it_needs_is_in_the_plan() -> None:
    made = _plan({}, "store")
    assert made == plan.Plan(
        services=("store",),
        steps=(plan.Step("store", plan.Action.CREATE, "does not exist"),),
        needs={"store": frozenset()},
        missing_images=frozenset(),
    )


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"state": "paused"}, "unpause front: is paused"),
        ({"state": "exited"}, "start front: is exited"),
        ({"state": "created"}, "start front: is created"),
        ({"state": "restarting"}, "start front: is restarting"),
        ({"state": "dead"}, "start front: is dead"),
        ({"config_hash": "older"}, "recreate front: configuration changed"),
        ({"image": "toy/front:8"}, "recreate front: image changes from toy/front:8 to toy/front:9"),
        ({"image_id": "older"}, "recreate front: image toy/front:9 is another one now"),
        ({"state": "absent"}, "create front: does not exist"),
        ({"state": "paused", "config_hash": "older"}, "recreate front: configuration changed"),
        (
            {"state": "exited", "image": "toy/front:8", "config_hash": "older"},
            "recreate front: image changes from toy/front:8 to toy/front:9",
        ),
    ],
    ids=str,
)
def test_a_service_is_mended_by_the_least_that_helps(changed: dict[str, str], line: str) -> None:
    assert _changes("front", **changed) == [line]


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"state": "exited", "exit_code": 0}, []),
        ({"state": "exited", "exit_code": 3}, ["start shop-db: ended with 3"]),
        ({"state": "created"}, ["start shop-db: is created"]),
        ({"state": "running"}, ["start shop-db: is running"]),
        ({"state": "paused"}, ["unpause shop-db: is paused"]),
        ({"config_hash": "older"}, ["recreate shop-db: configuration changed"]),
    ],
    ids=str,
)
def test_a_one_shot_is_done_only_when_it_ended_well(changed: dict[str, object], lines: list[str]) -> None:
    assert _changes("shop-db", **changed) == lines


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"state": "absent"}, ["create store: does not exist", "start shop-db: store starts anew"]),
        ({"state": "exited"}, ["start shop-db: store starts anew", "start store: is exited"]),
        ({"config_hash": "old"}, ["recreate store: configuration changed", "start shop-db: store starts anew"]),
        ({"state": "paused"}, ["start shop-db: store starts anew", "unpause store: is paused"]),
    ],
    ids=str,
)
def test_a_one_shot_runs_again_when_what_it_needs_moved(changed: dict[str, str], lines: list[str]) -> None:
    assert _changes("store", **changed) == lines


def test_a_failed_one_shot_keeps_its_own_cause() -> None:
    settled = _settled()
    broken = settled | {
        "store": replace(settled["store"], state="exited"),
        "shop-db": replace(settled["shop-db"], exit_code=3),
    }
    assert sorted(map(str, _plan(broken).changes)) == ["start shop-db: ended with 3", "start store: is exited"]


def test_what_compose_and_the_engine_do_not_say_decides_nothing() -> None:
    made = _plan(_settled(), hashes={}, images={})
    assert made.changes == ()
    assert made.missing_images == {"toy/store:1.0", "toy/exporter:2", "toy/shop:3.1", "toy/front:9"}


def test_images_that_the_engine_lacks_are_named() -> None:
    there = {image: number for image, number in IMAGES.items() if image != "toy/exporter:2"}
    assert _plan(_settled(), images=there).missing_images == {"toy/exporter:2"}
