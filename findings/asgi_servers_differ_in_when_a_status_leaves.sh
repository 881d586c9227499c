#!/usr/bin/env bash
# An ASGI application sends "http.response.start" (status and headers), then fails before the first "http.response.body": a streamed answer whose source
# breaks at its first line.
# What one would expect: a 500 from each server. The ASGI specification once forbade to send anything before the first Response Body event; today it says
# that a server need not send at once, so that an error's response can still take the place of the first. Granian does so and answers 500.
# What happens: uvicorn, with httptools and with h11, and Hypercorn send the head at once. The client has a "200 OK" and then a closed connection, so a
# sender of webhooks that looks at the status alone takes the call for done. A slow first line shows the same: the head is there before the body. (With
# uvicorn and Hypercorn each answer, the quickest too, thus goes out in two writes.)
# So what may fail is done before the status is sent; that the server will make a 500 of it can't be relied on, and a test with one server proves nothing
# for another.
# Versions: uvicorn 0.54.0 (httptools 0.9.0, uvloop 0.23.0, h11 0.16.0), hypercorn 0.18.0, granian 2.8.9, Python 3.11. Seen 2026-12-01. Source: this
# script; ASGI's HTTP message format 2.5, Response Start; asgiref issue 388 on the change of its words.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    "uvicorn==0.54.0" "httptools==0.9.0" "uvloop==0.23.0" "h11==0.16.0" "hypercorn==0.18.0" "granian==2.8.9"
cd "$work"
cat >application.py <<'PYTHON'
import asyncio


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while (event := (await receive())["type"]) != "lifespan.shutdown":
            await send({"type": f"{event}.complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain"), (b"content-length", b"2")]})
    if scope["path"] == "/broken":
        raise RuntimeError("the source has no first line")
    await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": b"ok"})
PYTHON
"$work/venv/bin/python" - <<'PYTHON'
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

print(*(f"{name} {version(name)}" for name in ("uvicorn", "httptools", "uvloop", "h11", "hypercorn", "granian")))
HOST = "127.0.0.1"
BIN = Path(sys.executable).parent


def free_port():
    with socket.socket() as opened:
        opened.bind((HOST, 0))
        return opened.getsockname()[1]


def asked(port, path):
    """The first line of the answer, and whether anything came in the first half of the second that the application waits."""
    with socket.create_connection((HOST, port), timeout=10) as client:
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        begun = time.monotonic()
        head = client.recv(65536)
        return head.split(b"\r\n")[0].decode().strip(), time.monotonic() - begun < 0.5


def served(command, port):
    server = subprocess.Popen([BIN / command[0], *command[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection((HOST, port)).close()
                break
            except OSError:
                assert time.monotonic() < deadline, f"{command[0]} did not start"
                time.sleep(0.1)
        return asked(port, "/slow"), asked(port, "/broken")
    finally:
        server.terminate()
        server.wait()


for name, early, options in (
    ("uvicorn, httptools", True, ["uvicorn", "--http", "httptools", "--loop", "uvloop", "--port", "{}", "application:app"]),
    ("uvicorn, h11", True, ["uvicorn", "--http", "h11", "--loop", "asyncio", "--port", "{}", "application:app"]),
    ("hypercorn", True, ["hypercorn", "--bind", f"{HOST}:{{}}", "application:app"]),
    ("granian", False, ["granian", "--interface", "asgi", "--port", "{}", "application:app"]),
):
    port = free_port()
    (slow, head_first), (broken, _) = served([each.format(port) for each in options], port)
    print(f"{name}: slow body: {slow!r}, head before the body: {head_first}; broken before the body: {broken!r}")
    assert head_first == early, f"{name} behaves otherwise now"
    assert (" 200" in broken) == early and (" 500" in broken) != early, f"{name} behaves otherwise now"
PYTHON
