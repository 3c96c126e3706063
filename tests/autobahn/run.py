"""Runs Autobahn's fuzzing client against `/echo`, and judges: directly, through a proxy that slices the stream, and beside
5,000 members of a room who say nothing.

    python3 run.py PROGRAM OUTPUT WSTEST...

`wstest` ends with 0 whatever it found, even with no report at all: only the cases in its index.json count.
"""

import contextlib
import json
import os
import pathlib
import re
import resource
import socket
import subprocess
import sys

CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*"]
EXPECTED = {"OK": 298, "INFORMATIONAL": 3}
# What they ask has no right answer: Autobahn tells what it saw, whoever is asked.
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
# A run takes 20 s on an idle machine, sliced a few times that.
PATIENCE_S = 600
# Connections that are only there.
IDLE = 5_000
# Descriptors for other things than those.
SPARE = 200

HERE = pathlib.Path(__file__).resolve().parent


class Background:
    """A process that tells its port in a line, and that ends with the block."""

    def __init__(self, command, pattern, stream, **environment):
        pipes = {"stdin": subprocess.DEVNULL, stream: subprocess.PIPE}
        self.process = subprocess.Popen(command, text=True, env=os.environ | environment, **pipes)
        line = getattr(self.process, stream).readline()
        found = re.search(pattern, line)
        if not found:
            self.process.kill()
            sys.exit(f"{command[0]} told no port: {line!r}")
        self.port = int(found[1])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


@contextlib.contextmanager
def crowd(port):
    """Members of a room who say nothing, as many as the limit of open files lets this process and the server have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with contextlib.ExitStack() as stack:
        members = [stack.enter_context(member(port)) for _ in range(min(IDLE, most - SPARE))]
        yield len(members)


def member(port):
    """A member of a room, once it is welcome there."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.sendall(
        b"GET /ws/crowd HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    if not connection.recv(4096).startswith(b"HTTP/1.1 101 "):
        sys.exit("a member of the crowd was not let in")
    return connection


def fuzz(wstest, port, output):
    """Lets the fuzzing client loose on a port; gives the behaviour that it saw, by case."""
    output.mkdir(parents=True, exist_ok=True)
    index = output / "reports" / "index.json"
    index.unlink(missing_ok=True)
    spec = {
        "outdir": str(output / "reports"),
        "servers": [{"agent": "switchboard", "url": f"ws://127.0.0.1:{port}/echo"}],
        "cases": CASES,
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    (output / "spec.json").write_text(json.dumps(spec))
    with open(output / "wstest.log", "w") as log:
        command = [*wstest, "-m", "fuzzingclient", "-s", str(output / "spec.json")]
        subprocess.run(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=True)
    if not index.exists():
        sys.exit(f"no report was written; see {output / 'wstest.log'}")
    (cases,) = json.loads(index.read_text()).values()
    return cases


def judge(name, cases):
    """Prints how the cases came out; whether they came out as they must."""
    worst = {}
    for case, told in cases.items():
        # A case has a second judgement, of how the connection ended.
        behaviours = (told["behavior"], told["behaviorClose"])
        worst[case] = next((each for each in behaviours if each not in EXPECTED), told["behavior"])
    counts = {}
    for behaviour in worst.values():
        counts[behaviour] = counts.get(behaviour, 0) + 1
    shown = ", ".join(f"{count} {behaviour}" for behaviour, count in sorted(counts.items()))
    print(f"autobahn {name}: {len(cases)} cases: {shown}")
    odd = [case for case in worst if worst[case] != ("INFORMATIONAL" if case in INFORMATIONAL else "OK")]
    for case in sorted(odd, key=lambda case: [int(part) for part in case.split(".")]):
        print(f"autobahn {name}: case {case} is {worst[case]}")
    return counts == EXPECTED and not odd


def main():
    program, output, wstest = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3:]
    serve = [program, "--listen", "127.0.0.1:0", "--log", "warn"]
    # The crowd answers no pings.
    quiet = {"SWITCHBOARD_HEARTBEAT__INTERVAL": "1h"}
    with Background(serve, r"http://127\.0\.0\.1:(\d+)", "stderr", **quiet) as server:
        fine = judge("direct", fuzz(wstest, server.port, output / "direct"))
        slice = [sys.executable, str(HERE / "slicer.py"), f"127.0.0.1:{server.port}"]
        with Background(slice, r"(\d+)", "stdout") as slicer:
            fine &= judge("sliced", fuzz(wstest, slicer.port, output / "sliced"))
        with crowd(server.port) as members:
            fine &= judge(f"beside {members:,} idle", fuzz(wstest, server.port, output / "crowd"))
    sys.exit(0 if fine else 1)


if __name__ == "__main__":
    main()
