"""Grafana's rules, and that its smoke test keeps to them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from arcctl import services
from arcctl.model.smoke_test import Call, Calls
from arcctl.services import grafana
from arcctl.settings.resolve import Source, missing_secrets, resolve
from tests.stubs.loading import stub
from tests.testbed.places import IMAGES

STORE = stub("grafana", "store")
CATALOGUE = services.load()


def _smoke_test() -> list[Call]:
    secrets = dict.fromkeys(missing_secrets(CATALOGUE, {}), "s3cret".ljust(32, "_"))
    env = resolve(CATALOGUE, [Source("test", secrets)]).envs["grafana"]
    (found,) = grafana.SERVICE.checks.smoke_tests(grafana.Env.model_validate(env))
    assert isinstance(found, Calls)
    return list(found.steps)


def test_five_wrong_passwords_in_five_minutes_lock_a_user_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = STORE.Store(tmp_path)
    store.first_boot("admin", "right")
    assert [store.knows("admin", "wrong") for _ in range(4)] == [False] * 4
    assert store.knows("admin", "right")
    assert not store.knows("admin", "wrong")
    assert not store.knows("admin", "right")
    now = STORE.time.time()
    monkeypatch.setattr(STORE.time, "time", lambda: now + 301)
    assert store.knows("admin", "right")


def test_the_stub_exports_what_grafana_exports_and_the_dashboards_ask_for_nothing_else() -> None:
    promised = set(yaml.safe_load((IMAGES / "promises.yaml").read_text())["grafana"]["metrics"])
    state = SimpleNamespace(requests=1, dashboards={})
    text = stub("grafana", "__main__").Handler.metrics(SimpleNamespace(state=state))
    assert {line.split("{")[0].split()[0] for line in text.splitlines() if line[0] != "#"} == promised
    telemetry = grafana.SERVICE.telemetry
    asked = " ".join((telemetry.up, telemetry.latency, telemetry.memory, telemetry.rate))
    assert set(re.findall(r"\b(?:grafana|process)_\w+", asked)) <= promised


def test_an_unknown_user_is_refused_and_counts_for_nobody(tmp_path: Path) -> None:
    store = STORE.Store(tmp_path)
    store.first_boot("admin", "right")
    assert [store.knows("nobody", "admin") for _ in range(6)] == [False] * 6
    assert store.knows("admin", "right")


def test_the_smoke_test_never_logs_in_as_the_administrator_with_a_wrong_password() -> None:
    as_admin = grafana._login("admin", "s3cret".ljust(32, "_"))
    refused = [call for call in _smoke_test() if call.status == (401,)]
    assert [call.headers == as_admin for call in _smoke_test()].count(False) == len(refused) == 1
    assert refused[0].headers == grafana._login("nobody", "admin")


def test_the_smoke_test_waits_for_the_files_that_are_read_after_the_first_healthy_answer() -> None:
    patience = {call.name: call.patience for call in _smoke_test()}
    assert patience["load dashboard overview"] == 30
    assert min(seconds for name, seconds in patience.items() if name.startswith("load")) > 0
    names = list(patience)
    assert names.index("query loki") > names.index("load dashboard overview")
