"""The proxies of docs/security.md, each with its configuration as it stands there but for addresses and TLS.

No ping is due while these run: whoever leaves is gone because the proxy says so.
"""

import contextlib
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import unittest

from abuse import Abused, WebSocket, eventually

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "security.md"
PROXIES = '[heartbeat]\ninterval = "1h"\n[proxies]\ntrust = "127.0.0.1"\n'


def documented(language):
    """The one block of the page that is in this language."""
    (block,) = re.findall(rf"^```{language}\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    return block


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Proxied(unittest.TestCase):
    def tried(self, language, config, command, header=b"", more=""):
        """Both wires through the proxy: who comes is seen, who goes is gone."""
        if not shutil.which(command[0]):
            self.skipTest(f"{command[0]} is not here")
        directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        relay = self.enterContext(Abused(PROXIES + more))
        port = free_port()
        text = documented(language).replace("127.0.0.1:8000", "{}:{}".format(*relay.where))
        (directory / "config").write_text(config(text, port, directory))
        command = [part.replace("DIR", str(directory)) for part in command]
        proxy = subprocess.Popen(command, env={"HOME": str(directory), "PATH": "/usr/sbin:/usr/bin:/bin"},
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(proxy.wait)
        self.addCleanup(proxy.kill)

        def reachable():
            self.assertIsNone(proxy.poll(), f"{command[0]} does not take its configuration")
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port)).close()
                return True

        def there():
            request = b"GET /api/rooms/lobby/members HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            answer = relay.ask(header + request)
            return json.loads(answer.partition(b"\r\n\r\n")[2])["count"]

        eventually("the proxy listens", reachable)
        for wire in (self.stream, self.websocket):
            with self.subTest(wire=wire.__name__):
                with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
                    wire(connection)
                    eventually("who comes is seen", lambda: there() == 1)
                eventually("who goes is gone", lambda: there() == 0)

    def stream(self, connection):
        connection.sendall(b"GET /sse/lobby?user=ann HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b" 200 ", connection.recv(100))

    def websocket(self, connection):
        self.assertEqual(WebSocket(connection, "/ws/lobby?user=ann").status, 101)

    def test_nginx(self):
        def config(text, port, directory):
            text = re.sub(r"^ *ssl_.*\n", "", text.replace("443 ssl", f"127.0.0.1:{port}"), flags=re.MULTILINE)
            return (
                f"daemon off; master_process off; pid {directory}/pid; error_log {directory}/errors;\n"
                f"events {{ worker_connections 64; }}\nhttp {{ access_log off;\n{text}}}\n"
            )

        self.tried("nginx", config, ["nginx", "-c", "DIR/config"])

    def test_caddy(self):
        def config(text, port, _):
            # Any host: what is tried names its own.
            return "{\n    admin off\n}\n" + text.replace("relay.example.com", f"http://:{port}")

        self.tried("caddyfile", config, ["caddy", "run", "--config", "DIR/config", "--adapter", "caddyfile"])

    def test_haproxy(self):
        def config(text, port, _):
            text = re.sub(r"bind .*", f"bind 127.0.0.1:{port}", text)
            return f"global\n    maxconn 64\n{text}"

        header = b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"
        self.tried("haproxy", config, ["haproxy", "-db", "-f", "DIR/config"], header, "proxy_protocol = true\n")


if __name__ == "__main__":
    unittest.main()
