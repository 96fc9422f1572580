"""The plan, read as it prints: what finished to each container, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arcctl.engines.base import ContainerState, Observed
from arcctl.lifecycle import plan
from arcctl.model import graph
from tests.fakes.catalogue import TOY

HASHES = {key: f"hash-{key}" for key in TOY.components()}
IMAGES = {c.container.image: f"id-{c.container.image}" for c in TOY.components().values()}
RUNS = """\
keep store: running
keep shop-db: finished
keep big-shop: running
keep front: running
keep shop-exporter: running"""


def _settled() -> dict[str, ContainerState]:
    """What stands there after an `up` that went well."""
    found = {
        key: ContainerState(
            state="running", config_hash=HASHES[key], image=c.container.image, image_id=IMAGES[c.container.image]
        )
        for key, c in TOY.components().items()
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


def test_on_an_empty_engine_everything_is_created_after_its_dependencies() -> None:
    made = _plan({})
    assert _printed(made) == sorted(
        f"create {key}: not there yet" for key in ("store", "shop-db", "big-shop", "front", "shop-exporter")
    )
    places = [s.key for s in made.steps]
    assert all(places.index(need) < places.index(key) for key in places for need in made.needs[key])


def test_an_up_that_went_well_leaves_nothing_to_do() -> None:
    made = _plan(_settled())
    assert _printed(made) == sorted(RUNS.splitlines())
    assert made.changes == ()


def test_only_what_was_asked_for_and_its_dependencies_are_in_the_plan() -> None:
    made = _plan({}, "store")
    assert made == plan.Plan(
        services=("store",),
        steps=(plan.Step("store", plan.Action.CREATE, "not there yet"),),
        needs={"store": frozenset()},
        missing_images=frozenset(),
    )


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"state": "paused"}, "unpause front: paused"),
        ({"state": "exited"}, "start front: exited"),
        ({"state": "created"}, "start front: created"),
        ({"state": "restarting"}, "start front: restarting"),
        ({"state": "dead"}, "start front: dead"),
        ({"config_hash": "older"}, "recreate front: configuration changed"),
        ({"image": "toy/front:8"}, "recreate front: image changes from toy/front:8 to toy/front:9"),
        ({"image_id": "older"}, "recreate front: image toy/front:9 was rebuilt or pulled again"),
        (
            {"cut_off": ("not connected to the network arc",)},
            "recreate front: not connected to the network arc",
        ),
        (
            {"state": "exited", "cut_off": ("not connected to the network arc",), "changed": ("less memory",)},
            "recreate front: not connected to the network arc; less memory",
        ),
        ({"state": "absent"}, "create front: not there yet"),
        ({"state": "paused", "config_hash": "older"}, "recreate front: configuration changed"),
        (
            {"state": "exited", "image": "toy/front:8", "config_hash": "older"},
            "recreate front: image changes from toy/front:8 to toy/front:9",
        ),
    ],
    ids=str,
)
def test_a_service_gets_the_smallest_step_that_helps(changed: dict[str, str], line: str) -> None:
    assert _changes("front", **changed) == [line]


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"state": "exited", "exit_code": 0}, []),
        ({"state": "exited", "exit_code": 3}, ["start shop-db: exited with code 3"]),
        ({"state": "created"}, ["start shop-db: created"]),
        ({"state": "running"}, ["start shop-db: running"]),
        ({"state": "paused"}, ["unpause shop-db: paused"]),
        ({"config_hash": "older"}, ["recreate shop-db: configuration changed"]),
    ],
    ids=str,
)
def test_an_init_container_is_finished_only_with_exit_code_0(changed: dict[str, object], lines: list[str]) -> None:
    assert _changes("shop-db", **changed) == lines


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({"state": "absent"}, ["create store: not there yet", "start shop-db: depends on store, which is started"]),
        ({"state": "exited"}, ["start shop-db: depends on store, which is started", "start store: exited"]),
        (
            {"config_hash": "old"},
            ["recreate store: configuration changed", "start shop-db: depends on store, which is started"],
        ),
        ({"state": "paused"}, ["start shop-db: depends on store, which is started", "unpause store: paused"]),
    ],
    ids=str,
)
def test_an_init_container_runs_again_when_a_dependency_is_started(changed: dict[str, str], lines: list[str]) -> None:
    assert _changes("store", **changed) == lines


def test_a_failed_init_container_keeps_its_own_cause() -> None:
    settled = _settled()
    broken = settled | {
        "store": replace(settled["store"], state="exited"),
        "shop-db": replace(settled["shop-db"], exit_code=3),
    }
    assert sorted(map(str, _plan(broken).changes)) == ["start shop-db: exited with code 3", "start store: exited"]


def test_unknown_hashes_and_images_change_nothing() -> None:
    made = _plan(_settled(), hashes={}, images={})
    assert made.changes == ()
    assert made.missing_images == {"toy/store:1.0", "toy/exporter:2", "toy/shop:3.1", "toy/front:9"}


def test_images_that_the_engine_lacks_are_named() -> None:
    there = {image: number for image, number in IMAGES.items() if image != "toy/exporter:2"}
    assert _plan(_settled(), images=there).missing_images == {"toy/exporter:2"}
