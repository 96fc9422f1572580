"""The talk with a session: what is shown where, when it ends, and with which exit code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import StringIO

import pytest

from arcctl.errors import CommandRefused
from arcctl.terminal import prompt

pytestmark = pytest.mark.usefixtures("plain_streams")


@dataclass
class Echo:
    """Says what it hears, and hears no `bad`."""

    heard: list[str] = field(default_factory=list)

    def do(self, words: Sequence[str]) -> Iterator[str]:
        if words[0] == "bad":
            raise CommandRefused("that is bad", hint="be good")
        yield "|".join(words)

    def listen(self) -> None:
        self.heard.append("listen")

    def close(self) -> None:
        self.heard.append("close")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    stream = StringIO()
    monkeypatch.setattr("sys.stdin", stream)
    return stream


def _given(typed: StringIO, text: str) -> None:
    typed.write(text)
    typed.seek(0)


def test_a_pipe_gets_an_answer_to_each_line_and_blank_ones_are_none(
    typed: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    _given(typed, "say 'two words'\n\n   \nagain")
    session = Echo()
    assert prompt.run(session, "toy", ()) == 0
    assert capsys.readouterr() == ("say|two words\nagain\n", "")
    assert session.heard == ["close"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("bad idea", "error: that is bad\nhint: be good\n"),
        ("say 'half", "error: say 'half: no closing quotation\n"),
    ],
)
def test_a_script_goes_on_behind_a_line_that_was_refused_and_ends_with_1(
    line: str, said: str, typed: StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    _given(typed, f"{line}\nlast\n")
    assert prompt.run(Echo(), "toy", ()) == 1
    assert capsys.readouterr() == ("last\n", said)


@pytest.mark.parametrize("end", ["quit", "EXIT"])
def test_a_word_ends_the_talk(end: str, typed: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    _given(typed, f"one\n{end}\ntwo\n")
    assert prompt.run(Echo(), "toy", ()) == 0
    assert capsys.readouterr().out == "one\n"


def test_words_of_the_command_line_are_one_command_whose_messages_are_waited_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    session = Echo()
    assert prompt.run(session, "toy", ("say", "two words")) == 0
    assert prompt.run(Echo(), "toy", ("bad",)) == 1
    assert capsys.readouterr().out == "say|two words\n"
    assert session.heard == ["listen", "close"]
