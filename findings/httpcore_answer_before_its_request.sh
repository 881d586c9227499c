#!/usr/bin/env bash
# A server, or what stands before it, answers one request twice on a connection that is kept open.
# What one would expect: the second answer belongs to no request; the client closes the connection ("the client SHOULD close the connection", RFC
# 9112, 9.2), and the next request gets an answer of its own.
# What happens with httpcore (and so with httpx): if both answers arrive together, the second one waits in the parser's buffer and becomes the answer
# to the next request, whatever that one asks; nothing is raised. If it arrives a moment later, the idle connection is readable, and httpcore
# closes it. So a receipt is taken for a post's own although the server has not even read that post.
# Versions: httpcore 1.0.9, h11 0.16.0. Seen 2026-11-30. Source: this script; no report of it was looked for.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "httpcore==1.0.9" "h11==0.16.0"
"$work/venv/bin/python" - <<'PYTHON'
import socket
import threading
from importlib.metadata import version

import httpcore

print("httpcore", version("httpcore"), "h11", version("h11"))


def answer(path):
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(path) + path


def serve(listener):
    while True:
        connection, _ = listener.accept()
        with connection:
            for times in (2, 1):
                asked = connection.recv(65536)
                if not asked:
                    break
                connection.sendall(answer(asked.split(b" ")[1]) * times)


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}"
with httpcore.ConnectionPool() as pool:
    answers = [(path, pool.request("GET", url + path).content.decode()) for path in ("/first", "/second")]
for path, body in answers:
    print(f"asked for {path}, got the answer to {body}")
assert answers == [("/first", "/first"), ("/second", "/first")], "httpcore behaves otherwise now"
PYTHON
