"""Where probes are sent."""

from __future__ import annotations

import pytest

from arcctl.app.world import settings, targets
from arcctl.core.observed import ContainerState, Observed
from tests.app.fakes import FakeHome, Toy

HOME = FakeHome(kept={"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"})


@pytest.mark.parametrize(
    ("now", "ports"),
    [
        (ContainerState(state="running", ports={7000: 7001, 9: 9}), [7001]),
        (ContainerState(state="running", ports={9: 9}), []),
        (ContainerState(state="running"), []),
        (ContainerState(state="paused", ports={7000: 7001}), []),
        (ContainerState(state="restarting", ports={7000: 7001}), []),
    ],
    ids=["published elsewhere", "another port", "no port", "paused", "restarting"],
)
def test_only_what_runs_is_asked_and_at_the_port_that_the_engine_really_published(
    now: ContainerState, ports: list[int]
) -> None:
    world = Toy(home=HOME).world()
    found = targets(world, Observed({"store": now}), settings(world), ("store", "front"))
    assert [target.port for target in found.values()] == ports
    assert set(found) <= {"store"}


def test_a_probe_carries_the_secret_of_now() -> None:
    world = Toy(home=HOME, environment={"STORE_PASSWORD": "another-one"}).world()
    running = Observed({"store": ContainerState(state="running", ports={7000: 7001})})
    (target,) = targets(world, running, settings(world), ("store",)).values()
    assert getattr(target.probe, "send", b"") == b"another-one"
