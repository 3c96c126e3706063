"""Publishes the figures of this machine, and serves the page that draws them.

Python's standard library is all it needs. RELAY, API_KEY, PORT and INTERVAL (seconds) are environment variables.
"""

import json
import os
import socket
import threading
import time
import urllib.request
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

RELAY = os.environ.get("RELAY", "http://127.0.0.1:8000")
API_KEY = os.environ.get("API_KEY", "")
PORT = int(os.environ.get("PORT", "8080"))
INTERVAL = float(os.environ.get("INTERVAL", "1"))
ROOM = "machine"

SECTOR = 512  # bytes, the unit of /proc/diskstats whatever the disk's own is


def cpu_times(stat: str) -> dict[str, tuple[int, int]]:
    """Busy and all ticks so far, of `cpu` (all cores) and of `cpu0`, `cpu1` and so on: /proc/stat."""
    times = {}
    for line in stat.splitlines():
        if line.startswith("cpu"):
            name, *fields = line.split()
            user, nice, system, idle, iowait, *rest = map(int, fields[:8])
            busy = user + nice + system + sum(rest)
            times[name] = (busy, busy + idle + iowait)
    return times


def memory(meminfo: str) -> dict[str, int]:
    """Bytes of memory that programs use, and that there are: /proc/meminfo."""
    sizes = {name: int(rest.split()[0]) * 1024 for name, rest in (line.split(":") for line in meminfo.splitlines())}
    return {"used": sizes["MemTotal"] - sizes["MemAvailable"], "total": sizes["MemTotal"]}


def network_bytes(net_dev: str) -> tuple[int, int]:
    """Bytes received and sent so far, the loopback included: /proc/net/dev."""
    rows = [line.partition(":")[2].split() for line in net_dev.splitlines()[2:]]
    return sum(int(row[0]) for row in rows), sum(int(row[8]) for row in rows)


def disk_bytes(diskstats: str) -> tuple[int, int]:
    """Bytes read and written so far by whole disks: /proc/diskstats."""
    rows = [line.split() for line in diskstats.splitlines()]
    whole = [row for row in rows if Path("/sys/block", row[2]).exists() and not row[2].startswith(("loop", "ram"))]
    return sum(int(row[5]) for row in whole) * SECTOR, sum(int(row[9]) for row in whole) * SECTOR


def share(before: tuple[int, int], now: tuple[int, int]) -> float:
    """Per cent of the time between two readings that was busy."""
    return round(100 * (now[0] - before[0]) / max(1, now[1] - before[1]), 1)


def rates(names: tuple[str, str], before: tuple[int, int], now: tuple[int, int], seconds: float) -> dict[str, int]:
    """Bytes a second between two readings."""
    return {name: round((b - a) / seconds) for name, a, b in zip(names, before, now, strict=True)}


class Machine:
    """The machine since the last look at it."""

    def __init__(self) -> None:
        self.last = self.read()

    @staticmethod
    def read() -> tuple[float, dict[str, tuple[int, int]], tuple[int, int], tuple[int, int]]:
        proc = Path("/proc")
        return (
            time.monotonic(),
            cpu_times((proc / "stat").read_text()),
            network_bytes((proc / "net/dev").read_text()),
            disk_bytes((proc / "diskstats").read_text()),
        )

    def figures(self) -> dict[str, object]:
        (then, cpu_before, net_before, disk_before), self.last = self.last, self.read()
        now, cpu, net, disk = self.last
        seconds = now - then
        cores = [share(cpu_before.get(name, (0, 0)), times) for name, times in cpu.items() if name != "cpu"]
        return {
            "host": socket.gethostname(),
            "uptime": float(Path("/proc/uptime").read_text().split()[0]),
            "load": os.getloadavg(),
            "cpu": share(cpu_before["cpu"], cpu["cpu"]),
            "cores": cores,
            "memory": memory(Path("/proc/meminfo").read_text()),
            "network": rates(("in", "out"), net_before, net, seconds),
            "disk": rates(("read", "written"), disk_before, disk, seconds),
        }


def publish(data: object) -> None:
    """Sends `data` to everybody in the room: one POST, nothing else."""
    request = urllib.request.Request(f"{RELAY}/api/rooms/{ROOM}/messages", json.dumps({"data": data}).encode())
    if API_KEY:
        request.add_header("Authorization", f"Bearer {API_KEY}")
    urllib.request.urlopen(request, timeout=5).close()


def publish_for_ever() -> None:
    machine = Machine()
    pause = min(INTERVAL, 0.2)  # there are no rates without two readings
    while True:
        time.sleep(pause)
        pause = INTERVAL
        try:
            publish(machine.figures())
        except OSError as error:
            # Figures that nobody got are old in a moment: the next ones will do.
            print(f"not published: {error}", flush=True)


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
    threading.Thread(target=publish_for_ever, daemon=True).start()
    server = ThreadingHTTPServer(("127.0.0.1", PORT), Page)
    print(f"The dashboard is at http://localhost:{server.server_port}", flush=True)
    with suppress(KeyboardInterrupt):
        server.serve_forever()
