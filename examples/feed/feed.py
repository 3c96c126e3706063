"""Three things that many pages want to follow: prices, the progress of a job, and a log; and the page that does.

The job is real: it hashes the files of Python's standard library. So is the log, the job's own. The prices are made up.
Python's standard library is all it needs. RELAY, API_KEY, PORT and LOG (a file to follow) are environment variables.
"""

import hashlib
import itertools
import json
import logging
import os
import random
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RELAY = os.environ.get("RELAY", "http://127.0.0.1:8000")
API_KEY = os.environ.get("API_KEY", "")
PORT = int(os.environ.get("PORT", "8080"))
LOG = Path(os.environ.get("LOG", Path(__file__).with_name("job.log")))

PRICES = {"Barley": 182.40, "Cocoa": 7310.00, "Coffee": 243.15, "Oats": 351.75, "Rice": 14.62, "Wheat": 587.25}


def publish(room: str, event: str, data: object, key: str | None = None) -> bool:
    """Sends `data` to a room under the name `event`; whether the relay took it.

    With a `key` it may be sent again when that is not known: the room gets it once.
    """
    body = json.dumps({"event": event, "data": data, **({"idempotency_key": key} if key else {})})
    request = urllib.request.Request(f"{RELAY}/api/rooms/{room}/messages", body.encode())
    if API_KEY:
        request.add_header("Authorization", f"Bearer {API_KEY}")
    try:
        urllib.request.urlopen(request, timeout=5).close()
        return True
    except OSError:
        return False


def prices() -> None:
    """A random walk. A price that could not be told is old in a second: it is not sent again."""
    while True:
        for name in PRICES:
            PRICES[name] = round(PRICES[name] * random.gauss(1, 0.002), 2)
        publish("prices", "prices", PRICES)
        time.sleep(1)


def job() -> None:
    """Hashes the standard library, over and over, and tells how far it is."""
    files = sorted(path for path in Path(os.__file__).parent.glob("*/*.py") if path.parent.name != "site-packages")
    for run in itertools.count(1):
        logging.info("run %d: %d files", run, len(files))
        for done, path in enumerate(files, 1):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            size = path.stat().st_size
            name = f"{path.parent.name}/{path.name}"
            if size > 60_000:
                logging.warning("%s is large: %d kB", name, size // 1000)
            elif done % 8 == 0:
                logging.info("%s %s", digest[:12], name)
            publish("job", "progress", {"run": run, "done": done, "total": len(files), "file": name})
            time.sleep(0.1)


def lines(path: Path) -> Iterator[tuple[str, str]]:
    """Each whole line of a file for ever, with a key of its own; a file that was replaced begins anew."""
    while True:
        with path.open() as file:
            begun = os.fstat(file.fileno())
            for position in iter(file.tell, None):
                line = file.readline()
                if line.endswith("\n"):
                    yield line.rstrip("\n"), f"{begun.st_ino}:{position}"
                    continue
                file.seek(position)
                time.sleep(0.1)
                now = path.stat() if path.exists() else begun
                if now.st_ino != begun.st_ino or now.st_size < position:
                    break


def tail() -> None:
    """Every line of the log, once and in order: one that the relay did not take is sent until it does."""
    for line, key in lines(LOG):
        while not publish("log", "line", line, key):
            time.sleep(0.5)


class Page(BaseHTTPRequestHandler):
    """The page, which learns here where the relay is."""

    def do_GET(self) -> None:
        page = Path(__file__).with_name("index.html").read_text().replace("http://127.0.0.1:8000", RELAY).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        """Page views are not worth a line."""


if __name__ == "__main__":
    form = "%(asctime)s %(levelname)-7s %(message)s"
    LOG.write_text("")
    logging.basicConfig(filename=LOG, level=logging.INFO, format=form, datefmt="%H:%M:%S")
    for work in (prices, job, tail):
        threading.Thread(target=work, daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Page)
    print(f"The feed is at http://localhost:{server.server_port}", flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
