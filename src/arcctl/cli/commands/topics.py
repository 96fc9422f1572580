"""`topics`: topics and streams of every broker, in one way of speaking."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from arcctl.cli.live_names import complete_topics
from arcctl.cli.options import Json, Yes

if TYPE_CHECKING:
    from arcctl.app.world import World

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Topics of the event log, and streams of NATS.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="pulsar:tenant/namespace/topic or nats:STREAM; without the first word where only one has it.",
        autocompletion=complete_topics,
    ),
]


class Start(StrEnum):
    EARLIEST = "earliest"
    LATEST = "latest"


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="topics")


@app.command("list")
def list_(
    ctx: typer.Context,
    broker: Annotated[str, typer.Option("--in", metavar="SERVICE", help="Of one broker only.")] = "",
    json_: Json = False,
) -> None:
    """Topics and streams with messages, bytes and who reads them. The brokers' own are left out.

    Examples: `arcctl topics list`, `arcctl topics list --in nats --json`
    """
    from arcctl.app import topics
    from arcctl.cli import wiring
    from arcctl.ui import contents as show
    from arcctl.ui.progress import Progress

    listed = wiring.run(topics.list_(broker, wiring.world(ctx.obj, Progress())))
    (show.topics_json if json_ else show.topics)(listed)


@app.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="pulsar:tenant/namespace/topic or nats:STREAM.")],
    retention: Annotated[
        str, typer.Option(help="How long messages stay: 30m, 12h, 7d. In Pulsar: after they were acknowledged.")
    ] = "",
    subjects: Annotated[
        list[str] | None, typer.Option("--subject", help="What a stream keeps, such as orders.>; may be repeated.")
    ] = None,
) -> None:
    """Make a topic or a stream.

    Examples: `arcctl topics create pulsar:arc/agents/work --retention 7d`,
    `arcctl topics create nats:ORDERS --subject 'orders.>'`
    """
    from arcctl.app import topics as use_case
    from arcctl.cli import wiring
    from arcctl.core import content_names as names
    from arcctl.core.contents import Wanted
    from arcctl.ui import terminal

    wanted = Wanted(
        name=name,
        minutes=names.minutes(retention) if retention else 0,
        subjects=tuple(names.subject(text, wildcards=True) for text in subjects or ()),
    )
    topic = wiring.run(use_case.create(wanted, wiring.world(ctx.obj)))
    keeps = f", keeps {', '.join(topic.subjects)}" if topic.subjects else ""
    terminal.say(f"made {topic.address}{keeps}", style="green")


@app.command()
def delete(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Destroy a topic or a stream with its messages. Lists what is lost first, and asks.

    Examples: `arcctl topics delete pulsar:arc/agents/work`, `arcctl topics delete nats:ORDERS --yes`
    """
    from arcctl.app import topics
    from arcctl.cli import wiring
    from arcctl.cli.asking import agreed
    from arcctl.ui import contents as show
    from arcctl.ui import terminal

    world = wiring.world(ctx.obj)
    topic = wiring.run(topics.choose(name, world)).topic
    terminal.say(f"{topic.address}: {show.size(topic)}")
    if agreed("Destroy all of this?", yes=yes, command=f"arcctl topics delete {topic.address}"):
        wiring.run(topics.delete(topic.address, world))
        terminal.say(f"destroyed: {topic.address}")


@app.command()
def produce(
    ctx: typer.Context,
    name: Name,
    messages: Annotated[
        list[str] | None, typer.Argument(metavar="[MESSAGES]...", help="Without any: one for each line of stdin.")
    ] = None,
    subject: Annotated[str, typer.Option(help="Under which subject, where a stream keeps several.")] = "",
) -> None:
    """Store messages in a topic or a stream.

    Examples: `arcctl topics produce arc/agents/work hello`,
    `arcctl topics produce AGENTS --subject agents.log < lines.txt`
    """
    from arcctl.app import topics
    from arcctl.cli import wiring
    from arcctl.ui import terminal

    if not messages and sys.stdin.isatty():
        terminal.say("one message a line; Ctrl-D ends")
    lines = _given(messages) if messages else wiring.input_lines()
    topic, count = wiring.run(topics.produce(name, lines, subject, wiring.world(ctx.obj)))
    terminal.say(f"{topic.address}: {terminal.count(count, 'message')} stored", style="green")


async def _given(messages: list[str]) -> AsyncIterator[bytes]:
    for message in messages:
        yield message.encode()


@app.command()
def consume(
    ctx: typer.Context,
    name: Name,
    most: Annotated[int, typer.Option("-n", min=0, help="At the most so many; 0 for all.")] = 0,
    start: Annotated[
        Start, typer.Option("--from", help="The earliest that is there, or only those that come from now on.")
    ] = Start.EARLIEST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as new messages come.")] = False,
) -> None:
    """Print messages, one a line. Nothing is taken away and nobody's place moves. `latest` waits as --follow does.

    Examples: `arcctl topics consume AGENTS -n 10`, `arcctl topics consume arc/agents/work --from latest`
    """
    from arcctl.cli import wiring

    wiring.run(_print(name, most, start, follow, wiring.world(ctx.obj)))


async def _print(name: str, most: int, start: Start, follow: bool, world: World) -> None:
    from arcctl.app import topics
    from arcctl.ui import contents as show

    messages = topics.consume(name, most=most, new=start is Start.LATEST, follow=follow, world=world)
    async with aclosing(messages):
        async for message in messages:
            show.message(message)
