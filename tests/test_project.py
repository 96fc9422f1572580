"""Where probes are sent."""

from __future__ import annotations

import pytest

from arcctl.engines.base import ContainerState, Observed
from arcctl.project import targets
from tests.fakes.toy import FakeDirectory, Toy

DIRECTORY = FakeDirectory(kept={"STORE_PASSWORD": "st0re-secret", "BIG_SHOP_TOKEN": "sh0p-secret"})


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
def test_only_running_services_are_probed_at_their_published_port(now: ContainerState, ports: list[int]) -> None:
    project = Toy(directory=DIRECTORY).project()
    found = targets(project, Observed({"store": now}), ("store", "front"))
    assert [target.port for target in found.values()] == ports
    assert set(found) <= {"store"}


def test_a_probe_has_the_current_secret() -> None:
    project = Toy(directory=DIRECTORY, environment={"STORE_PASSWORD": "another-one"}).project()
    running = Observed({"store": ContainerState(state="running", ports={7000: 7001})})
    (target,) = targets(project, running, ("store",)).values()
    assert getattr(target.probe, "send", b"") == b"another-one"


def test_settings_are_resolved_once_and_a_reloaded_project_has_the_new_ones() -> None:
    directory = FakeDirectory(kept=dict(DIRECTORY.kept))
    project = Toy(directory=directory).project()
    before = project.settings
    directory.keep_secrets({"STORE_PASSWORD": "another-secret"})
    assert project.settings is before
    assert project.reloaded().settings.values["STORE_PASSWORD"].text == "another-secret"


def test_given_values_come_before_all_others_and_leave_the_project_as_it_is() -> None:
    project = Toy(directory=DIRECTORY, environment={"STORE_PASSWORD": "of-the-environment"}).project()
    assert project.with_values({"STORE_PASSWORD": "given"}).settings.values["STORE_PASSWORD"].text == "given"
    assert project.settings.values["STORE_PASSWORD"].text == "of-the-environment"
