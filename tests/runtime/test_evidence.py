"""Which values a support bundle must not hold: those of every file of the home, whole or broken."""

from __future__ import annotations

from pathlib import Path

from arcctl.runtime.evidence import secret_values
from arcctl.runtime.files import Home
from tests.core.toy import TOY


def _home(root: Path, **files: str) -> Home:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Home(root)


def _values(root: Path, files: dict[str, str], **environment: str) -> set[str]:
    return set(secret_values(_home(root, **files), TOY, environment))


def test_generated_told_and_brought_secrets_are_all_known(tmp_path: Path) -> None:
    files = {
        ".arcctl__secrets.env": "STORE_PASSWORD=drawn-one\nSTORE_TICKET=told:*.one\nOF_AN_OLDER_VERSION=gone-one\n",
        "config__front__.env": "FRONT_MOTTO=no secret\n",
        "config__big-shop__.env": "BIG_SHOP_TOKEN='brought one'\n",
    }
    assert _values(tmp_path, files, STORE_PASSWORD="from-outside", HOME="/root") == {
        "drawn-one",
        "told:*.one",
        "gone-one",
        "brought one",
        "from-outside",
    }


def test_a_line_that_is_broken_hides_no_other(tmp_path: Path) -> None:
    files = {".arcctl__secrets.env": "what is this\n export STORE_PASSWORD = kept-one\n", ".arcctl__compose.env": ""}
    assert _values(tmp_path, files) == {"kept-one"}


def test_what_stands_beside_a_secret_in_a_file_of_ours_is_one_too(tmp_path: Path) -> None:
    files = {
        ".arcctl__secrets.env": "STORE_PASSWORD=drawn-one-0123456789\n",
        ".arcctl__changing.json": '[{"old": "drawn-one-0123456789", "new": "fresh-one-0123456789"}]',
        ".arcctl__inputs.json": '{"store": "0123456789abcdef0123456789abcdef"}',
    }
    assert _values(tmp_path, files) == {"drawn-one-0123456789", "fresh-one-0123456789"}


def test_a_home_with_nothing_in_it_has_no_secrets(tmp_path: Path) -> None:
    assert _values(tmp_path, {}) == set()
