"""`up --seed-from` and words that do not fit: a sentence, the next command, an exit code, and nothing touched."""

from __future__ import annotations

import pytest

from tests.cli.command_line import CommandLine


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("--key", "file"), "--key opens the backup of another project"),
        (("--seed-from", "nobody"), "no project has the name nobody"),
    ],
)
def test_words_that_do_not_fit_are_explained(cli: CommandLine, words: tuple[str, ...], error: str) -> None:
    cli.engine()
    done = cli.arcctl("up", *words)
    assert (done.code, done.out) == (2, "")
    assert f"error: {error}\nhint: " in done.err
