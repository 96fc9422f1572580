"""Infisical's rules, and the set-up of its service by them. The set-up and its HTTP client are the real ones."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from arcctl import services
from arcctl.checks.clients.smoke_test_runner import LoopbackSmokeTestRunner
from arcctl.lifecycle.bootstrap import ServiceSetUp
from arcctl.model.resource import ResourceResult, State
from arcctl.model.smoke_test import Calls
from arcctl.services import infisical
from arcctl.settings.resolve import missing_secrets
from tests.fakes.toy import Toy
from tests.stubs.loading import stub

CATALOGUE = services.load()
_AUTH = "/api/v1/auth/universal-auth"
API = stub("infisical", "api")
WRONG = (401, "Invalid credentials")
LOCKED = (401, "This identity auth method is temporarily locked, please try again later")


@dataclass
class MemoryStore:
    """What the stub keeps in Postgres."""

    records: dict[tuple[str, str], Any] = field(default_factory=dict)

    def put(self, kind: str, name: str, body: dict[str, Any], *, fresh: bool = False) -> bool:
        if fresh and (kind, name) in self.records:
            return False
        self.records[kind, name] = body
        return True

    def get(self, kind: str, name: str) -> Any:
        return self.records.get((kind, name))

    def all(self, kind: str) -> list[Any]:
        return [body for (k, _), body in self.records.items() if k == kind]

    def remove(self, kind: str, name: str) -> Any:
        return self.records.pop((kind, name), None)


@dataclass
class Vault:
    """The stub on a port, and a project whose Infisical it is."""

    handler: Any
    port: int
    toy: Toy = field(default_factory=Toy)
    store: MemoryStore = field(default_factory=MemoryStore)

    def __post_init__(self) -> None:
        self.toy.directory.kept = {name: "s3cret".ljust(32, "_") for name in missing_secrets(CATALOGUE, {})}
        self.sign("first")

    def sign(self, auth_secret: str) -> None:
        """Start again with another AUTH_SECRET."""
        self.handler.api = API.Api(self.store, auth_secret)

    def set_up(self) -> tuple[ResourceResult, ...]:
        project = replace(self.toy.project(), catalogue=CATALOGUE, smoke_test_runner=LoopbackSmokeTestRunner())
        ports = {"infisical": {infisical.PORT: self.port}}
        here = ServiceSetUp(project, "infisical", ports, True, time.monotonic())
        env = infisical.Env.model_validate(project.settings.envs["infisical"])
        resources = infisical.SERVICE.setup.resources(env)
        return asyncio.run(here.run(tuple(r for r in resources if isinstance(r.check, Calls))))

    def states(self) -> list[State]:
        return [found.state for found in self.set_up()]

    def call(self, method: str, path: str, body: dict[str, str] | None = None, token: str = "") -> tuple[int, Any]:
        """The status, and the message of an error or the whole answer."""
        token = token or self.toy.directory.kept.get("INFISICAL_SETUP_TOKEN", "unset")
        headers = {"Authorization": f"Bearer {token}"}
        url = f"http://127.0.0.1:{self.port}{path}"
        answer = httpx.request(method, url, json=body, headers=headers, trust_env=False)
        return answer.status_code, answer.json()["message"] if answer.status_code >= 400 else answer.json()

    def log_in(self, secret: str = "") -> tuple[int, Any]:
        kept = self.toy.directory.kept
        secret = secret or kept["INFISICAL_CLIENT_SECRET"]
        status, answer = self.call(
            "POST", f"{_AUTH}/login", {"clientId": kept["INFISICAL_CLIENT_ID"], "clientSecret": secret}
        )
        return status, "" if status == 200 else answer


@pytest.fixture
def vault() -> Iterator[Vault]:
    handler = type("Handler", (stub("infisical", "__main__").Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield Vault(handler, server.server_address[1])
    server.shutdown()
    server.server_close()


def test_the_set_up_creates_everything_once(vault: Vault) -> None:
    assert vault.states() == [State.CREATED] * 4
    assert vault.states() == [State.EXISTS] * 4
    assert [p["slug"] for p in vault.store.all("project")] == ["arc-project"]


def test_a_locked_login_is_no_lost_one(vault: Vault) -> None:
    """Else a new identity would take the place of the one that programs use."""
    vault.set_up()
    before = dict(vault.toy.directory.kept)
    assert [vault.log_in("wrong") for _ in range(4)] == [WRONG, WRONG, WRONG, LOCKED]
    found = vault.set_up()
    assert [f.state for f in found] == [State.EXISTS, State.REFUSED]
    assert (LOCKED[1] in found[-1].reason, found[-1].hint) == (True, "in a few minutes: arcctl bootstrap infisical")
    assert vault.toy.directory.kept == before


def test_a_lost_login_is_replaced(vault: Vault) -> None:
    vault.set_up()
    vault.toy.directory.kept["INFISICAL_CLIENT_SECRET"] = "lost"
    assert vault.states() == [State.EXISTS, State.CREATED, State.CREATED, State.EXISTS]
    assert vault.log_in() == (200, "")


def test_wrong_logins_count_for_half_a_minute_and_a_lock_ends(vault: Vault) -> None:
    vault.set_up()
    name = vault.toy.directory.kept["INFISICAL_CLIENT_ID"]
    assert [vault.log_in("wrong"), vault.log_in("wrong"), vault.log_in(), vault.log_in("wrong")][2:] == [
        (200, ""),
        WRONG,
    ]
    assert 29 < vault.store.get("lockout", name)["expires"] - time.time() <= 30
    vault.log_in("wrong"), vault.log_in("wrong")
    assert 299 < vault.store.get("lockout", name)["expires"] - time.time() <= 300
    vault.store.get("lockout", name)["expires"] = time.time()
    assert vault.log_in() == (200, "")


def test_with_another_auth_secret_everything_exists_though_the_set_up_token_is_useless(vault: Vault) -> None:
    vault.set_up()
    vault.sign("second")
    assert vault.call("GET", "/api/v1/projects") == (401, "You are not allowed to access this resource")
    assert vault.states() == [State.EXISTS] * 4


def test_only_an_administrator_changes_identities_also_with_another_auth_secret(vault: Vault) -> None:
    vault.set_up()
    vault.sign("second")
    kept = vault.toy.directory.kept
    place = f"{_AUTH}/identities/{kept['INFISICAL_IDENTITY_ID']}/client-secrets"
    answers = {}
    for who in ("", "OPERATOR_"):
        login = {"clientId": kept[f"INFISICAL_{who}CLIENT_ID"], "clientSecret": kept[f"INFISICAL_{who}CLIENT_SECRET"]}
        token = vault.call("POST", f"{_AUTH}/login", login)[1]["accessToken"]
        answers[who] = vault.call("POST", place, {}, token)[0]
    assert answers == {"": 403, "OPERATOR_": 200}


def test_a_project_whose_creation_was_interrupted_is_found(vault: Vault) -> None:
    vault.set_up()
    project, identity = (vault.toy.directory.kept[f"INFISICAL_{n}_ID"] for n in ("PROJECT", "IDENTITY"))
    vault.toy.directory.kept["INFISICAL_PROJECT_ID"] = "unset"
    vault.store.remove("membership", f"{project}:{identity}")
    assert vault.states() == [State.EXISTS, State.EXISTS, State.CREATED, State.EXISTS]
    assert vault.toy.directory.kept["INFISICAL_PROJECT_ID"] == project


@pytest.mark.parametrize(
    ("slug", "status"), [("arc", 422), ("arcs", 422), ("a" * 5, 200), ("a" * 36, 200), ("a" * 37, 422), ("Arc_1", 422)]
)
def test_a_slug_has_5_to_36_characters(vault: Vault, slug: str, status: int) -> None:
    vault.set_up()
    assert vault.call("POST", "/api/v1/projects", {"projectName": "x", "slug": slug})[0] == status


def test_the_configuration_says_whether_the_vault_was_set_up(vault: Vault) -> None:
    assert vault.call("GET", "/api/v1/admin/config")[1]["config"]["initialized"] is False
    vault.set_up()
    assert vault.call("GET", "/api/v1/admin/config")[1]["config"]["initialized"] is True


def test_it_answers_503_while_it_migrates(vault: Vault) -> None:
    vault.handler.api = None
    assert vault.call("GET", "/api/status") == (503, "Server is starting up, migrations in progress")


def test_nothing_is_added_twice(vault: Vault) -> None:
    vault.set_up()
    project, identity = (vault.toy.directory.kept[f"INFISICAL_{n}_ID"] for n in ("PROJECT", "IDENTITY"))
    assert vault.call("POST", f"{_AUTH}/identities/{identity}", {}) == (
        400,
        "Failed to add universal auth to already configured identity",
    )
    again = vault.call("POST", f"/api/v1/projects/{project}/memberships/identities/{identity}", {"role": "member"})
    assert again == (400, f"Identity with id {identity} already exists in project with id {project}")
