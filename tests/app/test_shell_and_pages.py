"""`shell`, `open` and `top`: which client is taken, which page is shown, what is counted, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from arcctl.app import page, shell, top
from arcctl.app.world import World, ensure_secrets
from arcctl.core.connect import Client, NatsPrompt, Prompt, RedisPrompt
from arcctl.core.model import Catalogue, Link
from arcctl.core.observed import ContainerState, Unavailable
from arcctl.core.ports import Executed
from arcctl.errors import ProgramMissing, UnhealthyError, UnknownService, UsageError
from tests.app.fakes import FakeEngine, Toy
from tests.core.toy import FRONT, SHOP, STORE

USUAL = Client(user="arc", words=("ask", "store:7000"), environment={"ASK": "the password"})
ROOT = Client(user="root", words=("ask", "--root"))
PROMPT = RedisPrompt(user="arc", port=7000, password="p")
NOWHERE = NatsPrompt(user="arc", port=9999, password="p")


@dataclass
class Bare(FakeEngine):
    """An engine whose containers bring no programs besides their servers."""

    bare: bool = True

    def execute(self, key: str, words: tuple[str, ...], **streams: object) -> Executed:
        self.calls.append(f"execute {key}: {' '.join(words)}, {streams}")
        if self.bare:
            raise ProgramMissing(f"the program {words[0]} is not here", hint="bring it")
        return Executed(3)


@dataclass
class Stage:
    engine: Bare
    world: World
    talks: list[tuple[Prompt, int, tuple[str, ...]]] = field(default_factory=list)

    def converse(self, prompt: Prompt, port: int, words: tuple[str, ...]) -> int:
        self.talks.append((prompt, port, words))
        return 4

    def shell(self, *words: str, user: str = "", name: str = "store") -> int:
        return shell.run(shell.Request(name=name, words=words, user=user), self.world, self.converse)

    def with_shells(self, *shells: Client | Prompt) -> Stage:
        talking = replace(STORE, shells=lambda env: shells)
        return replace(self, world=replace(self.world, catalogue=Catalogue({"front": FRONT, "store": talking})))


@pytest.fixture
def stage() -> Stage:
    shown = replace(STORE, links=lambda env: (Link(name="wire", url="store://x"), Link(name="ui", url="u", page=True)))
    catalogue = Catalogue({"big-shop": SHOP, "front": FRONT, "store": shown})
    engine = Bare(catalogue)
    toy = Toy(engine=engine)
    world = replace(toy.world(), catalogue=catalogue)
    ensure_secrets(world, ())
    engine.start(("store",))
    engine.calls.clear()
    return Stage(engine, world)


def test_a_client_of_the_container_gets_the_terminal_the_secret_and_the_words_that_follow(stage: Stage) -> None:
    stage.engine.bare = False
    assert stage.with_shells(USUAL, PROMPT).shell("-c", "select 1") == 3
    assert stage.engine.calls == [
        "execute store: ask store:7000 -c select 1, {'environment': {'ASK': 'the password'}, 'terminal': True}"
    ]


def test_where_its_client_is_not_there_a_prompt_is_taken(stage: Stage) -> None:
    talking = stage.with_shells(USUAL, PROMPT)
    assert talking.shell("GET", "a") == 4
    assert talking.talks == [(PROMPT, 7000, ("GET", "a"))]


def test_where_no_client_is_there_at_all_the_last_reason_is_told(stage: Stage) -> None:
    with pytest.raises(ProgramMissing, match="the program ask is not here"):
        stage.with_shells(USUAL).shell()


def test_another_user_gets_another_client(stage: Stage) -> None:
    stage.engine.bare = False
    stage.with_shells(USUAL, ROOT).shell(user="root")
    assert [call.partition(",")[0] for call in stage.engine.calls] == ["execute store: ask --root"]


def test_a_user_whom_nobody_knows_is_refused_with_those_that_there_are(stage: Stage) -> None:
    with pytest.raises(UsageError, match="no shell for 'eve'") as caught:
        stage.with_shells(USUAL, ROOT).shell(user="eve")
    assert caught.value.hint == "one of arc, root"


def test_a_port_that_is_not_published_is_said_so(stage: Stage) -> None:
    with pytest.raises(UnhealthyError, match="store publishes no port for clients"):
        stage.with_shells(NOWHERE).shell()


@pytest.mark.parametrize(
    ("name", "error", "hint"),
    [
        ("stroe", UnknownService, "did you mean store?"),
        ("observability", UsageError, "services: front, store"),
        ("front", UsageError, "arcctl info front"),
    ],
)
def test_a_shell_that_cannot_be_is_refused(stage: Stage, name: str, error: type[UsageError], hint: str) -> None:
    with pytest.raises(error) as caught:
        stage.with_shells(USUAL).shell(name=name)
    assert (caught.value.exit_code, caught.value.hint) == (2, hint)


def test_a_service_that_is_stopped_has_neither_shell_nor_page_nor_usage(stage: Stage) -> None:
    stage.engine.states["store"] = ContainerState(state="exited")
    for ask in (
        stage.with_shells(USUAL).shell,
        lambda: page.find("store", stage.world),
        lambda: top.look(("store",), stage.world),
    ):
        with pytest.raises(UnhealthyError, match="store is exited") as caught:
            ask()
        assert (caught.value.exit_code, caught.value.hint) == (1, "arcctl up store")


def test_a_service_that_cannot_run_here_is_said_so_with_what_changes_that(stage: Stage) -> None:
    stage.engine.unavailable = {"store": Unavailable("nobody built it", "build store")}
    with pytest.raises(UnhealthyError, match="store is not available here: nobody built it") as caught:
        page.find("store", stage.world)
    assert caught.value.hint == "build store"


def test_the_page_of_a_service_is_the_link_that_is_one(stage: Stage) -> None:
    assert page.find("store", stage.world).url == "u"


def test_a_service_without_a_page_is_refused(stage: Stage) -> None:
    with pytest.raises(UsageError, match="front has no page for a browser"):
        page.find("front", stage.world)


def test_everything_that_runs_is_counted_the_largest_first_each_with_its_service(stage: Stage) -> None:
    stage.engine.start(("shop-exporter", "big-shop"))
    rows = top.look((), stage.world)
    assert [(row.name, row.service, row.memory, row.disk) for row in rows] == [
        ("shop-exporter", "big-shop", 1300, None),
        ("big-shop", "big-shop", 800, None),
        ("store", "store", 500, 7),
    ]
    assert top.look(("store",), stage.world, {"store": 9})[0].disk == 9
    assert top.sizes(rows) == {"store": 7}


def test_of_a_layer_only_what_runs_is_counted_and_nobody_complains(stage: Stage) -> None:
    assert top.look(("platform",), stage.world) == ()
