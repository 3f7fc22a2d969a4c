"""Node for the TypeScript flows: the machine's if it is new enough, else the one in a wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = 20
FLOWS = Path(__file__).parents[1] / "flows" / "typescript"


def folder() -> Path:
    """Return the folder that holds both ``node`` and ``npm``."""
    node = shutil.which("node")
    if node and shutil.which("npm") and version(node) >= OLDEST:
        return Path(node).parent
    return Path(sys.executable).parent


def version(node: str) -> int:
    """Return the major version of a node."""
    said = subprocess.run([node, "--version"], check=True, capture_output=True, text=True)
    return int(said.stdout.lstrip("v").split(".")[0])


def environment() -> dict[str, str]:
    """Return the environment in which that node comes first."""
    return os.environ | {"PATH": f"{folder()}{os.pathsep}{os.environ['PATH']}"}


def install() -> None:
    """Install what the flows' lock names, and run none of the packages' scripts."""
    env = environment()
    npm = shutil.which("npm", path=env["PATH"])
    subprocess.run(
        [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=FLOWS,
        env=env,
        check=True,
    )


if __name__ == "__main__":
    install()
