"""Lets schemathesis drive a running server from the server's own description of its API, and judges.

    python3 run.py SCHEMATHESIS

All checks of schemathesis hold, in open mode and with an API key. The seed is always the same, unless SEED says another.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "python"))

from relay import Relay  # noqa: E402

# Requests for each call and kind of data; a run with these takes about 8 s.
EXAMPLES = 15
# Far more than a run takes; past it something waits for an answer that does not come.
PATIENCE_S = 300

KEYS = '[api]\nkey = "a-key-that-only-this-test-knows-and-no-other"\n'
BEARER = "Authorization: Bearer a-key-that-only-this-test-knows-and-no-other"


def drive(schemathesis, address, *options):
    """Whether every answer was as described."""
    command = [
        *(schemathesis, "run", f"http://{address}/api/openapi.json", "--checks", "all", "--phases", "coverage,fuzzing,stateful"),
        *("--max-examples", str(EXAMPLES), "--seed", os.environ.get("SEED", "1"), "--request-timeout", "20"),
        *options,
    ]
    # It looks for a configuration, and keeps its examples, where it stands.
    with tempfile.TemporaryDirectory() as place:
        return subprocess.run(command, cwd=place, timeout=PATIENCE_S, stdin=subprocess.DEVNULL).returncode == 0


def main(schemathesis):
    schemathesis = str(pathlib.Path(schemathesis).resolve())
    modes = {"open mode": ("", []), "with a key": (KEYS, ["-H", BEARER])}
    for mode, (config, options) in modes.items():
        relay = Relay("--shards", "2", config=config)
        try:
            fine = drive(schemathesis, relay.address, *options)
        finally:
            relay.stop()
        print(f"openapi {mode}: {'fine' if fine else 'FAILED'}", flush=True)
        if not fine:
            sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
