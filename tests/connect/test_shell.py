"""`shell`: which client is run, for which user, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from arcctl.connect.shell import Request, shell
from arcctl.engines.base import ContainerState, Executed
from arcctl.errors import PreflightError, ProgramMissing, UnhealthyError, UnknownService, UsageError
from arcctl.model.connection import Client, InteractiveClient, NatsInteractiveClient, RedisInteractiveClient
from arcctl.model.service import Catalogue
from arcctl.project import Project, ensure_secrets
from tests.fakes.catalogue import FRONT, STORE
from tests.fakes.toy import FakeEngine, Toy

CLIENT = Client(user="arc", words=("ask", "store:7000"), environment={"ASK": "the password"})
ROOT = Client(user="root", words=("ask", "--root"))
OURS = RedisInteractiveClient(user="arc", port=7000, password="p")
UNPUBLISHED = NatsInteractiveClient(user="arc", port=9999, password="p")
CATALOGUE = Catalogue({"front": FRONT, "store": STORE})


@dataclass
class ShellEngine(FakeEngine):
    """An engine whose containers may lack the client."""

    has_client: bool = False

    def execute(self, key: str, words: tuple[str, ...], **streams: object) -> Executed:
        self.calls.append(f"execute {key}: {' '.join(words)}, {streams}")
        if not self.has_client:
            raise ProgramMissing(f"the program {words[0]} is not installed", hint="install it")
        return Executed(3)


@dataclass
class Stage:
    engine: ShellEngine
    project: Project
    talks: list[tuple[InteractiveClient, int, tuple[str, ...]]] = field(default_factory=list)

    def converse(self, client: InteractiveClient, host: str, port: int, words: tuple[str, ...]) -> int:
        del host
        self.talks.append((client, port, words))
        return 4

    def shell(self, *words: str, user: str = "", name: str = "store") -> int:
        return shell(Request(name=name, words=words, user=user), self.project, self.converse)

    def with_shells(self, *shells: Client | InteractiveClient) -> Stage:
        store = replace(STORE, network=replace(STORE.network, shells=lambda env: shells))
        return replace(self, project=replace(self.project, catalogue=Catalogue({"front": FRONT, "store": store})))


@pytest.fixture
def stage() -> Stage:
    engine = ShellEngine(CATALOGUE)
    project = ensure_secrets(replace(Toy(engine=engine).project(), catalogue=CATALOGUE), ())
    engine.start(("store",))
    engine.calls.clear()
    return Stage(engine, project)


def test_a_client_of_the_container_gets_terminal_secret_and_arguments(stage: Stage) -> None:
    stage.engine.has_client = True
    assert stage.with_shells(CLIENT, OURS).shell("-c", "select 1") == 3
    assert stage.engine.calls == [
        "execute store: ask store:7000 -c select 1, {'environment': {'ASK': 'the password'}, 'terminal': True}"
    ]


def test_without_a_client_in_the_container_ours_is_run(stage: Stage) -> None:
    talking = stage.with_shells(CLIENT, OURS)
    assert talking.shell("GET", "a") == 4
    assert talking.talks == [(OURS, 7000, ("GET", "a"))]


def test_without_any_client_the_last_reason_is_reported(stage: Stage) -> None:
    with pytest.raises(ProgramMissing, match="the program ask is not installed"):
        stage.with_shells(CLIENT).shell()


def test_another_user_gets_another_client(stage: Stage) -> None:
    stage.engine.has_client = True
    stage.with_shells(CLIENT, ROOT).shell(user="root")
    assert [call.partition(",")[0] for call in stage.engine.calls] == ["execute store: ask --root"]


def test_an_unknown_user_is_refused_with_the_known_ones(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no shell for the user 'eve'") as caught:
        stage.with_shells(CLIENT, ROOT).shell(user="eve")
    assert caught.value.hint == "its users: arc, root"


def test_a_port_that_is_not_published_is_reported(stage: Stage) -> None:
    with pytest.raises(UnhealthyError, match="store publishes no port for clients"):
        stage.with_shells(UNPUBLISHED).shell()


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("stroe", UnknownService, "did you mean store?"),
        ("observability", UsageError, "services: front, store"),
        ("front", UsageError, "arcctl info front"),
    ],
)
def test_a_service_without_a_shell_is_refused(stage: Stage, name: str, error: type[UsageError], hint: str) -> None:
    with pytest.raises(error) as caught:
        stage.with_shells(CLIENT).shell(name=name)
    assert (caught.value.exit_code, caught.value.hint) == (2, hint)


def test_a_stopped_service_has_no_shell(stage: Stage) -> None:
    stage.engine.states["store"] = ContainerState(state="exited")
    with pytest.raises(UnhealthyError, match="store is not running") as caught:
        stage.with_shells(CLIENT).shell()
    assert (caught.value.exit_code, caught.value.hint) == (1, "arcctl up store")


def test_a_service_of_another_project_gets_no_client(stage: Stage) -> None:
    stage.engine.has_client = True
    stage.engine.states["store"] = ContainerState(state="running", directory="/srv/other")
    with pytest.raises(PreflightError, match=r"another project \(/srv/other\) already uses these container names"):
        stage.with_shells(CLIENT, OURS).shell()
    assert stage.engine.calls == []
