"""The secrets that a support bundle must not contain: those of every file of the project, valid or not."""

from __future__ import annotations

from pathlib import Path

from arcctl.diagnostics.clients.evidence import secret_values
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY


def _directory(root: Path, **files: str) -> ProjectDirectory:
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return ProjectDirectory(root)


def _values(root: Path, files: dict[str, str], **environment: str) -> set[str]:
    return set(secret_values(_directory(root, **files), TOY, environment))


def test_generated_server_issued_and_user_secrets_are_all_known(tmp_path: Path) -> None:
    files = {
        ".arcctl__secrets.env": "STORE_PASSWORD=drawn-one\nSTORE_TICKET=issued:*.one\nOF_AN_OLDER_VERSION=gone-one\n",
        "config__front__.env": "FRONT_MOTTO=no secret\n",
        "config__big-shop__.env": "BIG_SHOP_TOKEN='users one'\n",
    }
    assert _values(tmp_path, files, STORE_PASSWORD="from-outside", HOME="/root") == {
        "drawn-one",
        "issued:*.one",
        "gone-one",
        "users one",
        "from-outside",
    }


def test_an_invalid_line_does_not_hide_the_next(tmp_path: Path) -> None:
    files = {".arcctl__secrets.env": "what is this\n export STORE_PASSWORD = kept-one\n", ".arcctl__compose.env": ""}
    assert _values(tmp_path, files) == {"kept-one"}


def test_long_texts_next_to_a_secret_in_a_state_file_are_secrets_too(tmp_path: Path) -> None:
    files = {
        ".arcctl__secrets.env": "STORE_PASSWORD=drawn-one-0123456789\n",
        ".arcctl__changing.json": '[{"old": "drawn-one-0123456789", "new": "fresh-one-0123456789"}]',
        ".arcctl__input-hashes.json": '{"store": "0123456789abcdef0123456789abcdef"}',
    }
    assert _values(tmp_path, files) == {"drawn-one-0123456789", "fresh-one-0123456789"}


def test_an_empty_project_has_no_secrets(tmp_path: Path) -> None:
    assert _values(tmp_path, {}) == set()
