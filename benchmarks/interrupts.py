"""`python -m benchmarks.interrupts`: cuts commands off at random moments of a project that is up, and repairs it.

It prints a line for each round, and ends with 1 where one was not repaired. Keeps all data, and adds some of its own.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from pathlib import Path

from tests.e2e.driver import Platform
from tests.e2e.interrupts import COMMANDS, rounds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project-directory", type=Path, default=Path.cwd())
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}")
    platform, bad = Platform(chosen.project_directory, os.environ), 0
    for number, found in enumerate(rounds(platform, chosen.rounds, chosen.seed, tuple(chosen.commands)), 1):
        print(f"{number}. {found}", flush=True)
        bad += bool(found.problem)
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
