"""Every command that a message or a hint of the program names works: it exists, with these options and these names."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.command_lines import parse

PACKAGE = Path(__file__).parents[2] / "src" / "arcctl"
COMMAND = re.compile(
    r"(?:^|[:,;(`\n] ?|\b(?:then|or|and) )"
    r"(?P<line>arcctl [a-z-][^`,;:()\n]*?)(?= then | or | and |(?P<end>[`,;:()\n])|$)"
)
"""Begins a text, or follows a punctuation mark or a conjunction; other uses of the name are prose."""
EXAMPLE = "redis"
"""In the place of what is known only when the program runs: a service, in most texts."""
TEMPLATE = re.compile(r"\{\{.*?\}\}")
CHECKED = {"names", "service"}
"""Arguments whose values are names of services, components and layers."""
NO_COMMANDS = {
    ("backup/plan.py", "arcctl backup"),
    ("cli/commands/version.py", "arcctl redis"),
    ("diagnostics/rules.py", "arcctl --engine docker"),
}
"""Texts that nobody types: part of a hash, the version, and how some commands begin."""


class Named(NamedTuple):
    """A command that a text names."""

    place: str
    line: str
    whole: bool
    """Not so where the text speaks of a command, in backquotes, rather than telling the user to type it."""


def _docstrings(tree: ast.AST) -> set[int]:
    """Texts that are no expression of their own; examples of commands have a test already."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def _texts(source: str) -> Iterator[tuple[int, str]]:
    """Every text of a module, with an example in the place of each value."""
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    skipped = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values}
            yield node.lineno, "".join(_filled(value, constants) for value in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def _filled(value: ast.expr, constants: Mapping[str, str]) -> str:
    match value:
        case ast.Constant(value=str(text)):
            return text
        case ast.FormattedValue(value=ast.Name(id=name)) if name in constants:
            return constants[name]
        case ast.FormattedValue(value=ast.IfExp(body=ast.Constant(value=str(text)))):
            return text
    return EXAMPLE


def _commands(source: str, place: str) -> list[Named]:
    return [
        Named(f"{place}:{number}", found["line"].strip(), found["end"] != "`")
        for number, text in _texts(source)
        for found in COMMAND.finditer(TEMPLATE.sub(EXAMPLE, text))
    ]


def _all_commands() -> list[Named]:
    modules = {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = ((place, named) for place, path in modules.items() for named in _commands(path.read_text(), place))
    return [named for place, named in found if (place, named.line) not in NO_COMMANDS]


def _check(named: Named) -> None:
    context = parse(shlex.split(named.line)[1:], whole=named.whole)
    for parameter in context.command.params:
        given = context.params.get(parameter.name)
        if parameter.name in CHECKED and given:
            known = {item.value for item in parameter.shell_complete(context, "")}
            words = [given] if isinstance(given, str) else given
            unknown = [word for word in words if word not in known and not word.isupper()] if known else []
            assert not unknown, f"{named.line}: unknown name {', '.join(unknown)}"


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without a project: only the built-in services have names."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("named", _all_commands(), ids=lambda named: f"{named.place} {named.line}")
def test_a_command_in_a_message_works(named: Named) -> None:
    _check(named)


def test_most_messages_with_a_next_step_are_found() -> None:
    assert len(_all_commands()) > 150


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ('hint = "arcctl upp"', "no command upp"),
        ('hint = "stop it: arcctl up --stak"', "No such option: --stak"),
        ('hint = "see what is there, then arcctl ps again"', "unknown name again"),
        ('hint = f"arcctl up {service} redsi"', "unknown name redsi"),
        ('hint = "use another one (arcctl config set)"', "Missing parameter: words"),
        ('hint = "arcctl config show lists them"', "unexpected extra argument"),
        ('hint = "arcctl --engine docker"', "Usage: arcctl|needs a command"),
        ('say("made by `arcctl imagse save`")', "no command imagse"),
        ('AGAIN = "arcctl up"\nhint = f"read the log, or {AGAIN} --once"', "No such option: --once"),
    ],
)
def test_a_command_that_does_not_work_is_found(source: str, wrong: str) -> None:
    broken = _commands(source, "planted.py")[-1]
    with pytest.raises(Exception, match=wrong):
        _check(broken)
