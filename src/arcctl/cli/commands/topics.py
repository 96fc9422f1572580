"""`topics`: topics and streams of every broker."""

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
    from arcctl.project import Project

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Topics of Pulsar and streams of NATS.")

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="pulsar:tenant/namespace/topic or nats:STREAM; the service may be left out where only one has it.",
        autocompletion=complete_topics,
    ),
]
NewName = Annotated[str, typer.Argument(metavar="NAME", help="pulsar:tenant/namespace/topic or nats:STREAM.")]
Retention = Annotated[
    str, typer.Option(help="How long messages are kept: 30m, 12h, 7d. In Pulsar: after they were acknowledged.")
]
Subjects = Annotated[
    list[str] | None, typer.Option("--subject", help="What a stream stores, such as orders.>; may be repeated.")
]
Messages = Annotated[
    list[str] | None, typer.Argument(metavar="[MESSAGES]...", help="Without any: one for each line of stdin.")
]


class Start(StrEnum):
    EARLIEST = "earliest"
    LATEST = "latest"


def register(parent: typer.Typer) -> None:
    parent.add_typer(app, name="topics")


@app.command("list")
def list_(
    ctx: typer.Context,
    broker: Annotated[str, typer.Option("--in", metavar="SERVICE", help="Only of this broker.")] = "",
    json_: Json = False,
) -> None:
    """List topics and streams with messages, bytes and readers. System topics are left out.

    Examples: `arcctl topics list`, `arcctl topics list --in nats --json`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import topics, view

    listed = run(topics.list_(broker, load_project(ctx.obj, ctx.obj.display()), data_clients()))
    (view.topics_json if json_ else view.topics)(listed)


@app.command()
def create(ctx: typer.Context, name: NewName, retention: Retention = "", subjects: Subjects = None) -> None:
    """Create a topic or a stream.

    Examples: `arcctl topics create pulsar:arc/agents/work --retention 7d`,
    `arcctl topics create nats:ORDERS --subject 'orders.>'`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import names, topics, view
    from arcctl.data.report import NewTopic

    new = NewTopic(
        name=name,
        minutes=names.minutes(retention) if retention else 0,
        subjects=tuple(names.check_subject(text, wildcards=True) for text in subjects or ()),
    )
    view.created_topic(run(topics.create(new, load_project(ctx.obj), data_clients())))


@app.command()
def delete(ctx: typer.Context, name: Name, yes: Yes = False) -> None:
    """Delete a topic or a stream with its messages. Says first what that destroys, and asks.

    Examples: `arcctl topics delete arc/agents/work`, `arcctl topics delete nats:ORDERS --yes`
    """
    from arcctl.cli.asking import agreed
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import topics, view

    project, clients = load_project(ctx.obj), data_clients()
    topic, _ = run(topics.choose(name, project, clients))
    view.topic_size(topic)
    if agreed("Destroy all of this?", yes=yes, command=f"arcctl topics delete {topic.address}"):
        run(topics.delete(topic.address, project, clients))
        view.deleted_topic(topic)


@app.command()
def produce(
    ctx: typer.Context,
    name: Name,
    messages: Messages = None,
    subject: Annotated[str, typer.Option(help="The subject, where a stream stores several.")] = "",
) -> None:
    """Store messages in a topic or a stream.

    Examples: `arcctl topics produce arc/agents/work hello`,
    `arcctl topics produce AGENTS --subject agents.log < lines.txt`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import data_clients, load_project
    from arcctl.data import topics, view
    from arcctl.data.clients.lines import of_input
    from arcctl.terminal import console as terminal

    if not messages and sys.stdin.isatty():
        terminal.say("one message a line; Ctrl-D ends")
    lines = _encoded(messages) if messages else of_input()
    stored = topics.produce(name, lines, subject, load_project(ctx.obj), data_clients())
    topic, count = run(stored)
    view.produced(topic, count)


async def _encoded(messages: list[str]) -> AsyncIterator[bytes]:
    from arcctl.settings.files import UNDECODED

    for message in messages:
        yield message.encode(errors=UNDECODED)  # as it was typed, whatever the encoding


@app.command()
def consume(
    ctx: typer.Context,
    name: Name,
    most: Annotated[int, typer.Option("-n", min=0, help="At most this many messages; 0 for all.")] = 0,
    start: Annotated[
        Start, typer.Option("--from", help="The earliest stored message, or only those that come from now on.")
    ] = Start.EARLIEST,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Wait for new messages and show them.")] = False,
) -> None:
    """Print messages, one a line. Removes none and changes no subscription. `latest` waits as --follow does.

    Examples: `arcctl topics consume AGENTS -n 10`, `arcctl topics consume arc/agents/work --from latest`
    """
    from arcctl.cli.interrupts import run
    from arcctl.cli.project import load_project

    run(_print(name, most, start, follow, load_project(ctx.obj)))


async def _print(name: str, most: int, start: Start, follow: bool, project: Project) -> None:
    from arcctl.cli.project import data_clients
    from arcctl.data import topics, view

    messages = topics.consume(
        name, most=most, new=start is Start.LATEST, follow=follow, project=project, clients=data_clients()
    )
    async with aclosing(messages):
        async for message in messages:
            view.message(message)
