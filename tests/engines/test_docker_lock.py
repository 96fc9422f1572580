"""What a killed command asked Docker for goes on, and the next command waits for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from arcctl.settings.directory import ProjectDirectory

STOP = """\
import sys
from pathlib import Path
from arcctl.engines.docker.engine import DockerEngine
from arcctl.settings.directory import ProjectDirectory
from tests.fakes.catalogue import TOY

root = Path(sys.argv[1])
with ProjectDirectory(root).acquire():
    DockerEngine(TOY, [], root / "compose.env").stop(["store"])
"""
DOCKER = """\
#!/bin/sh
touch "$(dirname "$0")/begun"
sleep 0.5
"""


def test_the_lock_is_held_until_the_programs_of_a_killed_command_have_ended(tmp_path: Path) -> None:
    program, project = tmp_path / "docker", ProjectDirectory(tmp_path / "project")
    project.root.mkdir()
    program.write_text(DOCKER)
    program.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    with subprocess.Popen((sys.executable, "-c", STOP, str(project.root)), env={**os.environ, "PATH": path}) as command:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        command.send_signal(signal.SIGKILL)
        command.wait()
    assert project.acquire() is None
    end = time.monotonic() + 10
    while (lock := project.acquire()) is None and time.monotonic() < end:
        time.sleep(0.05)
    assert lock
    lock.close()
