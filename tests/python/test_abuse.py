"""Peers at their worst, for real, with a client beside them that must not suffer.

Memory and processor time are bounded generously, and no time is asserted tighter than several times what is needed.
`scripts/abuse` runs all of it at full size.
"""

import json
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time
import unittest

from abuse import FULL, Abused, Crowd, eventually, figure, frame, raise_descriptors, rest, size, upgrade
from relay import PATIENCE, PROGRAM

MOST = raise_descriptors()


class Slow(unittest.TestCase):
    def trickle(self, relay, opening, number, seconds):
        """So many connections that send a byte now and then: all are cut off, none for much memory."""
        before, cpu = relay.resident_kib(), relay.cpu()
        connections = [relay.tcp() for _ in range(number)]
        began = time.monotonic()
        for connection in connections:
            connection.sendall(opening)
            connection.setblocking(False)
        open_, most = set(connections), 0
        while open_:
            self.assertLess(time.monotonic() - began, seconds + PATIENCE, f"{len(open_)} are still there")
            most = max(most, relay.resident_kib())
            for connection in list(open_):
                try:
                    connection.send(b"x")
                    if connection.recv(4096) == b"":
                        raise ConnectionResetError
                except BlockingIOError:
                    continue
                except OSError:
                    open_.discard(connection)
                    connection.close()
            time.sleep(0.1)
        took, grown = time.monotonic() - began, most - before
        figure(
            f"{number} slow senders: gone after {took:.1f} s (limit {seconds} s), {grown / number:.1f} KiB each, "
            f"{relay.cpu() - cpu:.2f} s of CPU"
        )
        self.assertLess(grown, number * 20 + 4096)

    def test_slow_headers(self):
        seconds = size(1, 5)
        with Abused(f'[limits]\nhandshake = "{seconds}s"\n') as relay, relay.witness():
            self.trickle(relay, b"GET /ws HTTP/1.1\r\nHost: a\r\nX: ", size(200, 1000), seconds)

    def test_slow_bodies(self):
        seconds = size(1, 10)
        with Abused(f'[limits]\nbody = "{seconds}s"\n') as relay, relay.witness():
            opening = b"POST /api/rooms/a/messages HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
            self.trickle(relay, opening, size(200, 1000), seconds)

    def test_readers_that_do_not_keep_up(self):
        number = size(20, 500)
        with Abused('[limits]\nstall = "2s"\nqueue = "256KiB"\n') as relay, relay.witness():
            before = relay.resident_kib()
            deaf = [relay.ws("/ws/flood") for _ in range(number)]
            # One of them reads a byte a second, which is no progress either.
            going = threading.Event()

            def sip():
                while not going.wait(1):
                    try:
                        deaf[0].connection.recv(1)
                    except OSError:
                        return

            sipping = threading.Thread(target=sip)
            sipping.start()
            publisher, most = relay.ws("/ws"), 0
            publisher.expect("welcome")
            publisher.say("join", room="flood")
            publisher.expect("joined")
            began, data = time.monotonic(), "x" * 30_000
            connections = lambda: relay.get("/api/rooms/flood")[1]["connections"]
            while connections() > 1:
                self.assertLess(time.monotonic() - began, 3 * PATIENCE, "they are never cut off")
                for _ in range(5):
                    publisher.say("publish", room="flood", data=data)
                    publisher.expect("message")
                most = max(most, relay.resident_kib())
            took = time.monotonic() - began
            going.set()
            sipping.join()
            figure(f"{number} that do not read: cut off after {took:.1f} s, {(most - before) / 1024:.1f} MiB in all")
            # They share what they are sent; 64 MiB is what 500 may cost.
            self.assertLess(most - before, 64 * 1024)
            for client in deaf:
                client.connection.close()


class Floods(unittest.TestCase):
    def test_handshakes(self):
        number = min(size(500, 10_000), MOST - 100)
        with Abused(shards=2) as relay, relay.witness():
            began, cpu = time.monotonic(), relay.cpu()
            connections = [socket.socket() for _ in range(number)]
            for connection in connections:
                connection.setblocking(False)
                connection.connect_ex(relay.where)
            for connection in connections:
                connection.settimeout(PATIENCE)
                connection.sendall(upgrade("/ws/a"))
            for connection in connections:
                self.assertTrue(connection.recv(4096).startswith(b"HTTP/1.1 101 "))
            took = time.monotonic() - began
            figure(f"{number} handshakes at once: {took:.1f} s, {relay.cpu() - cpu:.2f} s of CPU")
            # All of them drop at once.
            before, began = relay.descriptors(), time.monotonic()
            for connection in connections:
                connection.close()
            eventually("all are gone", lambda: relay.descriptors() < before - number + 50, 60)
            figure(f"{number} dropped at once: {time.monotonic() - began:.1f} s until none is left")
            self.assertEqual(relay.get("/api/rooms/a")[1]["connections"], 0)

    def test_handshakes_of_one_address(self):
        with Abused("[limits]\nhandshakes_per_second_per_ip = 20\nconnections_per_ip = 30\n") as relay, relay.witness():
            kept = [relay.ws("/ws") for _ in range(100)]
            statuses = [client.status for client in kept]
            # The witness is one of the first forty, and time gives some back.
            self.assertEqual(set(statuses), {101, 429})
            self.assertLessEqual(statuses.count(101), 30)

    def test_a_storm_of_reconnects(self):
        number = min(size(200, 5_000), MOST - 100)
        with Abused("[[rooms]]\npattern = 'storm'\nhistory = 1000\npresence = false\n", shards=2) as relay, relay.witness():
            clients = [relay.ws("/ws") for _ in range(number)]
            for client in clients:
                client.expect("welcome")
                client.say("join", room="storm")
            positions = [client.expect("joined")["position"] for client in clients]
            for round_ in range(3):
                for client in clients:
                    client.drop()
                for index in range(5):
                    relay.publish("storm", [round_, index])
                began = time.monotonic()
                clients = [relay.ws("/ws") for _ in range(number)]
                for client, position in zip(clients, positions):
                    client.say("join", room="storm", since=position)
                for at, client in enumerate(clients):
                    client.expect("welcome")
                    joined = client.expect("joined")
                    self.assertTrue(joined["recovered"])
                    missed = [message["data"] for message in joined["history"]]
                    self.assertEqual(missed, [[round_, index] for index in range(5)], "nothing lost, nothing twice")
                    positions[at] = joined["position"]
                figure(f"{number} come back with `since`: {time.monotonic() - began:.1f} s")
            for client in clients:
                client.drop()
            eventually("none leaks", lambda: relay.descriptors() < 60)

    def test_kill_and_come_back(self):
        number = min(size(100, 5_000), MOST - 100)
        relay = Abused()
        clients = [relay.ws("/ws/a") for _ in range(number)]
        for client in clients:
            client.expect("welcome")
        position = clients[0].expect("joined")["position"]
        relay.process.send_signal(signal.SIGKILL)
        relay.process.wait()
        for client in clients:
            client.connection.close()
        began = time.monotonic()
        with Abused("", "--listen", relay.address) as again:
            clients = [again.ws("/ws") for _ in range(number)]
            for client in clients:
                client.expect("welcome")
                client.say("join", room="a", since=position)
            for client in clients:
                self.assertFalse(client.expect("joined")["recovered"], "loss is told")
            figure(f"{number} back after kill -9: {time.monotonic() - began:.1f} s")
        relay.stop()


class Oversize(unittest.TestCase):
    def test_everything(self):
        limits = "[limits]\nmessage = 1000\nheader = 2000\nheaders = 20\napi_body = 5000\n"
        with Abused(limits) as relay, relay.witness():
            post = lambda path, body: (
                f"POST {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
            get = lambda path, fields="": f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n".encode()
            batch = json.dumps({"messages": [{}] * 1001})
            for what, request, status in [
                ("head", get("/healthz", "X: " + "x" * 3000 + "\r\n"), 431),
                ("target", get("/" + "x" * 3000), 414),
                ("fields", get("/healthz", "X: y\r\n" * 30), 431),
                ("body", post("/api/rooms/a/messages", "x" * 6000), 413),
                ("endless body", get("/healthz", "Content-Length: 99999999999\r\n"), 413),
                ("room name", get("/api/rooms/" + "r" * 201), 400),
                ("user", get("/sse/a?user=" + "u" * 129), 400),
                ("rooms of a stream", get("/sse?" + "&".join(f"room=r{n}" for n in range(65))), 400),
                ("batch", post("/api/batch", batch), 400),
            ]:
                answer = relay.ask(request)
                self.assertEqual(int(answer.split()[1]), status, f"{what}: {answer[:200]}")
            # A token above every bound is one that is not good.
            for what, sent, close in [
                ("frame", frame(1, b"x" * 1001), 1009),
                ("declared length", b"\x81\xff" + b"\x7f" + b"\xff" * 7 + bytes(4), 1009),
                ("sign bit", b"\x81\xff" + b"\xff" * 8 + bytes(4), 1002),
                ("message in pieces", b"\x01\x80" + bytes(4) + (b"\x00\xfe\x01\xf4" + bytes(4) + b"x" * 500) * 3, 1009),
            ]:
                client = relay.ws("/ws")
                client.expect("welcome")
                client.connection.sendall(sent)
                self.assertEqual(client.closed()[0], close, what)
            client = relay.ws("/ws")
            client.expect("welcome")
            for what, fields, code in [
                ("room", {"room": "r" * 201}, "bad_room"),
                ("id", {"room": "a", "id": "i" * 65}, "bad_request"),
            ]:
                client.say("join", **fields)
                self.assertEqual(client.expect("error")["code"], code, what)

    def test_a_token(self):
        with Abused('[auth]\nsecret = "a secret of more than thirty-two bytes"\n[limits]\nheader = "64KiB"\n') as relay:
            client = relay.ws("/ws?token=" + "x" * 20_000)
            self.assertEqual(client.closed(), (1008, "invalid token"))
            client = relay.ws("/ws")
            client.expect("welcome")
            client.connection.sendall(frame(1, b"{" + b" " * 20_000 + b"}"))
            self.assertEqual(client.closed()[0], 1009)


class Liveness(unittest.TestCase):
    BEAT = '[heartbeat]\ninterval = "1s"\ntimeout = "1s"\n'

    def test_a_stopped_server_cuts_nobody_who_is_well(self):
        seconds = size(4, 40)
        with Abused(self.BEAT) as relay:
            crowd = Crowd([relay.ws("/ws/a") for _ in range(size(50, 1000))])
            try:
                self.assertEqual(crowd.pinged(1), [])
                relay.process.send_signal(signal.SIGSTOP)
                time.sleep(seconds)
                relay.process.send_signal(signal.SIGCONT)
                # Whoever had missed one would be cut off before the third.
                self.assertEqual(crowd.pinged(3), [])
                self.assertEqual(relay.get("/api/rooms/a")[1]["connections"], len(crowd.clients))
                figure(f"{len(crowd.clients)} clients of a server that was stopped for {seconds} s: none lost")
            finally:
                crowd.end()

    def test_a_peer_that_went_silent_is_gone_and_that_is_told(self):
        config = "" if FULL else self.BEAT
        with Abused(config) as relay:
            silent = relay.ws("/ws/a?user=ann")
            for kind in ("welcome", "joined"):
                silent.expect(kind)
            watcher = relay.ws("/ws/a?user=bob")
            for kind in ("welcome", "joined"):
                watcher.expect(kind)
            watcher.connection.settimeout(60)
            began = time.monotonic()
            # Its pings are taken by its system and answered by nobody.
            left = watcher.expect("user_left")
            self.assertEqual(left["user"], "ann")
            took = time.monotonic() - began
            figure(f"a peer that went silent: `user_left` after {took:.1f} s")
            self.assertLess(took, 40)
            silent.connection.settimeout(PATIENCE)
            self.assertEqual(silent.closed(), (4101, "no pong"))

    @unittest.skipUnless(FULL and os.geteuid() == 0 and shutil.which("nft"), "needs root, nft and time")
    def test_packets_that_are_dropped(self):
        with Abused() as relay:
            lost = relay.ws("/ws/a?user=ann")
            for kind in ("welcome", "joined"):
                lost.expect(kind)
            watcher = relay.ws("/ws/a?user=bob")
            for kind in ("welcome", "joined"):
                watcher.expect(kind)
            watcher.connection.settimeout(90)
            port = lost.connection.getsockname()[1]
            nft = lambda *words: subprocess.run(["nft", *words], check=True)
            nft("add", "table", "inet", "abuse")
            try:
                nft("add", "chain", "inet", "abuse", "in", "{ type filter hook input priority 0 ; }")
                nft("add", "rule", "inet", "abuse", "in", "tcp", "dport", str(port), "drop")
                nft("add", "rule", "inet", "abuse", "in", "tcp", "sport", str(port), "drop")
                began = time.monotonic()
                self.assertEqual(watcher.expect("user_left")["user"], "ann")
                figure(f"a half-open peer: `user_left` after {time.monotonic() - began:.1f} s")
                self.assertLess(time.monotonic() - began, 45)
            finally:
                nft("delete", "table", "inet", "abuse")


class Scarcity(unittest.TestCase):
    def test_out_of_descriptors(self):
        few = lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SWITCHBOARD_")}
        process = subprocess.Popen(
            [str(PROGRAM), "--listen", "127.0.0.1:0", "--shards", "1"],
            env={**environment, "SWITCHBOARD_LIMITS__CONNECTIONS": "1000"},
            stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=few,
        )  # fmt: skip
        lines, told = [], threading.Event()

        def read():
            for line in process.stderr:
                lines.append(line)
                if "listens on" in line:
                    told.set()

        threading.Thread(target=read, daemon=True).start()
        try:
            self.assertTrue(told.wait(PATIENCE))
            self.assertIn("too few file descriptors", "".join(lines))
            address = next(line for line in lines if "listens on" in line).rsplit("http://", 1)[1].strip()
            host, port = address.split(":")
            # A WebSocket, for idle HTTP connections are closed when descriptors run out.
            health = socket.create_connection((host, int(port)), timeout=PATIENCE)
            health.sendall(upgrade("/echo"))
            self.assertTrue(health.recv(4096).startswith(b"HTTP/1.1 101 "))

            def is_healthy():
                health.sendall(bytes([0x81, 0x82, 0, 0, 0, 0]) + b"hi")
                return health.recv(4096) == bytes([0x81, 2]) + b"hi"

            self.assertTrue(is_healthy())
            clients = [socket.create_connection((host, int(port)), timeout=PATIENCE) for _ in range(200)]
            for client in clients:
                client.sendall(upgrade("/ws/a"))
            eventually("it runs out", lambda: any("cannot accept" in line for line in lines))
            stat = pathlib.Path(f"/proc/{process.pid}/stat")
            ticks = lambda: sum(int(n) for n in stat.read_text().rsplit(")", 1)[1].split()[11:13])
            before, seconds = ticks(), size(2, 20)
            time.sleep(seconds)
            cpu = (ticks() - before) / os.sysconf("SC_CLK_TCK") / seconds
            figure(f"out of descriptors: {100 * cpu:.1f} % CPU")
            self.assertLess(cpu, 0.2)
            self.assertTrue(is_healthy())
            self.assertEqual(sum("cannot accept" in line for line in lines), 1, "one line a minute")
            # Whoever waits comes in when somebody goes, though nobody new knocks.
            waiting = [client for client in clients if not readable(client)]
            self.assertGreater(len(waiting), 100)
            next(client for client in clients if readable(client)).close()
            took = eventually("somebody comes in", lambda: any(readable(client) for client in waiting))
            figure(f"a descriptor is free: taken after {1000 * took:.0f} ms")
            self.assertLess(took, 2)
            for client in clients:
                client.close()
            health.close()
        finally:
            process.kill()
            process.wait()

    def test_a_log_that_nobody_reads(self):
        # Relay reads the first line of its pipe and then no more.
        with Abused("", "--log-format", "text") as relay:
            with relay.witness():
                for _ in range(size(300, 5000)):
                    relay.ws("/ws/a").drop()

    def test_a_ceiling_on_memory(self):
        # Version 1 has a tree for memory alone.
        root, ceiling = "/sys/fs/cgroup", "memory.max"
        if os.path.isdir("/sys/fs/cgroup/memory"):
            root, ceiling = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
        group = f"{root}/switchboard-abuse-{os.getpid()}"
        try:
            os.mkdir(group)
        except OSError as error:
            self.skipTest(f"no control group can be made here: {error}")
        try:
            # In a directory that is none of the kernel's there are no such files.
            if not os.path.exists(f"{group}/{ceiling}"):
                self.skipTest("no memory control group can be made here")
            pathlib.Path(f"{group}/{ceiling}").write_text(str(256 * 1024 * 1024))
            # It reads its ceiling when it starts, so it has to be there by then.
            join = lambda: pathlib.Path(f"{group}/cgroup.procs").write_text(str(os.getpid()))
            with Abused(join=join) as relay:
                self.fill(relay)
            eventually("the group is empty", lambda: not pathlib.Path(f"{group}/cgroup.procs").read_text())
        finally:
            os.rmdir(group)

    def test_a_total_is_kept(self):
        """The same without a control group: a total as small as one of 256 MiB would make it."""
        with Abused('[limits]\nqueue_total = "32MiB"\nhistory_total = "8MiB"\n') as relay:
            self.fill(relay)

    def fill(self, relay):
        """Many rooms are read by nobody until all queues together are too large."""
        number, before = size(80, 400), relay.resident_kib()
        with relay.witness():
            deaf = [relay.ws(f"/ws/deaf-{n}") for n in range(number)]
            most = 0
            # 1.4 MB for each: more than the total, and less than makes one of them slow.
            for _ in range(35):
                for first in range(0, number, 20):
                    relay.ask(batch(range(first, first + 20)))
                most = max(most, relay.resident_kib())
            self.assertIsNone(relay.process.poll(), "it is never killed")
            figure(f"{number} that read nothing: {(most - before) / 1024:.0f} MiB at most")
            self.assertLess(most - before, 160 * 1024)
            for client in deaf:
                client.connection.close()


def batch(numbers):
    """A message of 40 kB to each of some rooms."""
    body = json.dumps({"messages": [{"room": f"deaf-{n}", "data": "x" * 40_000} for n in numbers]})
    head = f"POST /api/batch HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
    return (head + body).encode()


def readable(connection):
    connection.setblocking(False)
    try:
        return bool(connection.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        connection.settimeout(PATIENCE)


@unittest.skipUnless(shutil.which("faketime"), "libfaketime is not here")
class Clock(unittest.TestCase):
    def test_a_jump_cuts_nobody(self):
        """The wall clock goes ten years on; what is timed is timed by another."""
        control = f"/tmp/switchboard-faketime-{os.getpid()}"
        with open(control, "w") as file:
            file.write("+0")
        library = subprocess.run(["faketime", "-f", "+0", "printenv", "LD_PRELOAD"], capture_output=True, text=True)
        os.environ.update(
            LD_PRELOAD=library.stdout.strip(), FAKETIME_TIMESTAMP_FILE=control, FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1",
        )  # fmt: skip
        try:
            relay = Abused(Liveness.BEAT)
        finally:
            for name in ("LD_PRELOAD", "FAKETIME_TIMESTAMP_FILE", "FAKETIME_NO_CACHE", "FAKETIME_DONT_FAKE_MONOTONIC"):
                del os.environ[name]
        with relay:
            crowd = Crowd([relay.ws("/ws/a") for _ in range(20)])
            try:
                for jump in ("+3600", "+10y"):
                    with open(control, "w") as file:
                        file.write(jump)
                    self.assertEqual(crowd.pinged(3), [])
                year = relay.publish("a", 1) and relay.get("/api/rooms/a/messages")[1]["messages"][0]["time"][:4]
                self.assertGreater(int(year), time.gmtime().tm_year + 5)
            finally:
                crowd.end()
                os.unlink(control)


if __name__ == "__main__":
    unittest.main()
