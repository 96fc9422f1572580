"""What holds for every command of the tree, whoever adds it: help with examples that work, `--json`, exit codes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from arcctl.errors import EXIT_CODES
from docs.render import Entry, command_tree
from tests.cli.command_line import CommandLine
from tests.command_lines import parse

TREE = {entry.name: entry for entry in command_tree()}
COMMANDS = {name: entry for name, entry in TREE.items() if not entry.group}
FAILURES = set(EXIT_CODES) - {0}
DEAD = "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n"

MAKING = {"add", "build", "create", "init", "migrate", "new", "on", "produce", "refresh", "render", "restart", "up"}
NAMING = {"add", "create", "new"}
"""Those of them that want a name which nothing has."""
REMOVING = {"clean", "delete", "down", "drop", "off", "remove"}
"""Last words of commands that change something and tell it on stderr: they have no data of their own."""
HANDING_ON = {"compose", "consume", "logs", "run", "shell"}
"""Those that print what other programs print, as it is."""
ONE_WORD = {"bundle", "schema", "validate", "version"}
"""Those that answer with one word, yes or no, or JSON in any case."""
WITHOUT_PROJECT = {"arcctl init", "arcctl projects", "arcctl version", "arcctl schema"}

every_command = pytest.mark.parametrize("name", COMMANDS)


def _calls(example: str) -> Iterator[list[str]]:
    """The words of each call of arcctl in a line of shell."""
    for part in re.split(r"\|\|?|&&|;|[()<>]|\$\(", example):
        words = shlex.split(part.replace('"', " ").replace("'", " "))
        if "arcctl" in words:
            yield words[words.index("arcctl") + 1 :]


@every_command
def test_says_what_it_does_and_shows_it_by_examples(name: str) -> None:
    entry = COMMANDS[name]
    assert entry.text, f"{name} needs a docstring"
    assert any(list(_calls(example)) for example in entry.examples), f"{name} needs a line: Examples: `{name} ...`"


@every_command
def test_each_example_is_a_call_that_the_program_understands(name: str) -> None:
    for example in COMMANDS[name].examples:
        for words in _calls(example):
            parse(words)


@pytest.mark.parametrize(
    "example", ["arcctl up --nonsense", "arcctl config shw", "arcctl trace a b", "x | arcctl logs -z"]
)
def test_an_example_that_does_not_exist_would_be_found(example: str) -> None:
    (words,) = _calls(example)
    with pytest.raises(Exception, match=r"No such option|has no command|unexpected extra"):
        parse(words)


@every_command
def test_every_option_and_argument_says_what_it_means(name: str) -> None:
    entry = COMMANDS[name]
    silent = [p.name for p in entry.command.params if not getattr(p, "help", "") and not p.hidden]
    assert silent == []


@every_command
def test_data_comes_as_json_too(name: str) -> None:
    options = {option for p in COMMANDS[name].command.params for option in p.opts}
    exempt = COMMANDS[name].words[-1] in MAKING | REMOVING | HANDING_ON | ONE_WORD
    assert exempt or options & {"--json", "--format"}, f"{name} needs --json"


def _hands_on(entry: Entry) -> bool:
    """Whether its words are for another program."""
    return bool(entry.command.context_settings.get("ignore_unknown_options"))


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if not _hands_on(entry)])
def test_an_unknown_option_is_exit_2(cli: CommandLine, name: str) -> None:
    done = cli.arcctl(*name.split()[1:], "--no-such-option")
    assert (done.code, done.out) == (2, "")
    assert "No such option" in done.err


def _wrong(entry: Entry) -> list[str]:
    """The command's words with a name that nothing has in the place of each argument."""
    arguments = [p for p in entry.command.params if p.param_type_name == "argument"]
    return [*entry.words[1:], *("no-such-name" for _ in arguments)]


@pytest.mark.parametrize(
    "name", [n for n, e in COMMANDS.items() if e.words[-1] not in NAMING and len(_wrong(e)) > len(e.words) - 1]
)
def test_an_unknown_name_is_an_error_of_the_table(cli: CommandLine, name: str) -> None:
    """The command line raises what is not foreseen, so coming back at all means that there was no traceback."""
    cli.docker.says("*", err=DEAD, code=1)
    done = cli.arcctl(*_wrong(COMMANDS[name]))
    assert done.code in FAILURES
    assert "Traceback" not in done.err
    assert done.err.strip()


@pytest.mark.parametrize("name", [n for n in COMMANDS if not any(n.startswith(free) for free in WITHOUT_PROJECT)])
def test_without_a_project_it_is_exit_2_and_says_how_to_make_one(cli: CommandLine, tmp_path: Path, name: str) -> None:
    cli.docker.says("*", err=DEAD, code=1)
    cli.directory = tmp_path / "nowhere"
    cli.directory.mkdir()
    words = next(words for example in COMMANDS[name].examples for words in _calls(example))
    done = cli.arcctl(*words)
    assert done.code == 2
    assert f"no arcctl project at {cli.directory}" in done.err + done.out
    assert list(cli.directory.iterdir()) == []


def test_an_option_out_of_its_bounds_is_exit_2_for_every_number(cli: CommandLine) -> None:
    bounded = [(e, p) for e in COMMANDS.values() for p in e.command.params if getattr(p, "min", None) is not None]
    assert bounded
    for entry, parameter in bounded:
        done = cli.arcctl(*entry.words[1:], parameter.opts[0], "-7")
        assert (done.code, "Invalid value" in done.err) == (2, True), entry.name
