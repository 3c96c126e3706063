"""The README's programs, each run as it stands, against the real server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from relay import BINARY, serve

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
# The others are part of an app.
PROGRAMS = [block for block in BLOCKS if "import" in block]


@pytest.mark.skipif(not BINARY, reason="SWITCHBOARD does not name the server")
@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_runs_as_it_stands(program: str) -> None:
    with serve() as url:
        command = [sys.executable, "-c", program.replace("http://127.0.0.1:8000", url)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_the_readme_has_programs() -> None:
    assert len(PROGRAMS) == 4
