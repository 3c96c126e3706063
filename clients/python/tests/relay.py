"""The real server, whose binary the environment names in SWITCHBOARD."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
from collections.abc import Iterator

BINARY = os.environ.get("SWITCHBOARD")


@contextlib.contextmanager
def serve(**settings: str) -> Iterator[str]:
    """The address of a server that has these settings as variables."""
    assert BINARY
    command = [BINARY, "--listen", "127.0.0.1:0"]
    environment = {**os.environ, **settings}
    output = subprocess.PIPE
    with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, text=True, env=environment) as server:
        assert server.stdout
        found = (re.search(r"listens on (http://\S+)", line) for line in server.stdout)
        try:
            yield next(match[1] for match in found if match)
        finally:
            server.kill()
