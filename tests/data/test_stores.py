"""The data of another project with the same name: nothing of it is read or changed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from arcctl.data import db, flags, topics
from arcctl.errors import PreflightError
from tests.fakes.data_platform import RUNNING, Platform, refused

Work = Callable[[Platform], Coroutine[Any, Any, object]]


@pytest.mark.parametrize(
    "work",
    [
        lambda p: db.list_((), p.project, p.clients),
        lambda p: db.drop("by_hand", p.project, p.clients),
        lambda p: db.refresh_running(p.project, p.clients),
        lambda p: topics.list_("", p.project, p.clients),
        lambda p: topics.delete("bus:A", p.project, p.clients),
        lambda p: flags.switch("flag-0", "development", on=True, project=p.project),
        lambda p: flags.list_identities(p.project),
    ],
    ids=["db list", "db drop", "refresh", "topics list", "topics delete", "flags on", "identities list"],
)
def test_the_servers_of_another_project_are_not_asked(work: Work) -> None:
    platform = Platform()
    platform.clients.messages = {"bus": {"A": [b"x"]}, "log": {}}
    platform.toy.engine.states |= dict.fromkeys(platform.toy.engine.states, replace(RUNNING, directory="/srv/other"))
    message, _ = refused(work(platform), PreflightError)
    assert message == "another project (/srv/other) already uses these container names"
    assert ("by_hand" in platform.clients.stored, platform.clients.messages["bus"]) == (True, {"A": [b"x"]})
    assert platform.smoke_test_runner.asked == []
