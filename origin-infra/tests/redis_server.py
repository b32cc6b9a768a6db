"""A real redis-server with TLS and a password, and a wire to it that can be cut."""

import contextlib
import signal
import socket
import subprocess
import threading
from pathlib import Path


def certificate(folder: Path) -> None:
    """A key and a certificate for `localhost` that signs itself."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", folder / "key.pem", "-out", folder / "certificate.pem", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
        check=True, capture_output=True,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class RedisServer:
    """Runs until `kill`; ready when the constructor returns."""

    def __init__(self, folder: Path, password: str):
        self.port = free_port()
        self.password = password
        self.certificate = folder / "certificate.pem"
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--tls-port", str(self.port), "--bind", "127.0.0.1",
             "--tls-cert-file", self.certificate, "--tls-key-file", folder / "key.pem",
             "--tls-ca-cert-file", self.certificate, "--tls-auth-clients", "no",
             "--requirepass", password, "--save", "", "--dir", folder],
            stdout=subprocess.PIPE, text=True,
        )
        lines = iter(self._process.stdout.readline, "")
        assert any("Ready to accept connections" in line for line in lines), "redis-server did not start"

    def url(self) -> str:
        return f"rediss://:{self.password}@localhost:{self.port}/0?ssl_ca_certs={self.certificate}"

    def stop_answering(self) -> None:
        """Connections still open, nobody at home."""
        self._process.send_signal(signal.SIGSTOP)

    def is_running(self) -> bool:
        return self._process.poll() is None

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process.stdout.close()


class Wire:
    """Carries one connection to `server`, and kills the server after `limit` bytes of its answers."""

    def __init__(self, server: RedisServer, limit: int | None = None):
        self._server, self._limit = server, limit
        self.carried = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        near, _ = self._listener.accept()
        with near, socket.create_connection(("127.0.0.1", self._server.port)) as far:
            there = threading.Thread(target=self._ask, args=(near, far), daemon=True)
            there.start()
            self._answer(far, near)
            with contextlib.suppress(OSError):  # the client may have left first
                near.shutdown(socket.SHUT_RDWR)
            there.join()

    def _ask(self, near: socket.socket, far: socket.socket) -> None:
        """The client's words, to their end. A server that is dead hears none, and that is the point."""
        with contextlib.suppress(OSError):
            while data := near.recv(65536):
                far.sendall(data)
            far.shutdown(socket.SHUT_WR)

    def _answer(self, far: socket.socket, near: socket.socket) -> None:
        """The server's words, up to the limit."""
        with contextlib.suppress(OSError):
            while self.carried != self._limit and (data := far.recv(self._left())):
                near.sendall(data)
                self.carried += len(data)
        if self.carried == self._limit:
            self._server.kill()

    def _left(self) -> int:
        return 65536 if self._limit is None else self._limit - self.carried

    def close(self) -> None:
        """Waits until the conversation is over."""
        self._thread.join()
        self._listener.close()
