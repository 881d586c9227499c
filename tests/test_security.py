"""What concerns several packages: deep documents, header tricks, forged log lines, constant-time comparison of secrets."""

from __future__ import annotations

import ast
import json
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import Unauthorized
from bridge.ghl import events, workflow
from bridge.ghl.signature import read_keys, verify
from bridge.model import Ignored, Reason
from bridge.settings import GHL_PUBLISHED_KEYS
from tests.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
KEYS = read_keys(GHL_PUBLISHED_KEYS)
DEEP = 500_000
FORGED = 'said\r\n{"event":"forged","level":"info"}\u2028\x1b[31m'
SPEAK = """
import sys, structlog
from bridge import logs
logs.configure(sys.argv[1], "info")
structlog.get_logger().info("webhook", message_id=sys.argv[2])
"""


@pytest.fixture(scope="module")
def receiver(redis_url: str) -> Iterator[str]:
    """The address of a receiver."""
    with served(redis_url) as url:
        yield url


@pytest.mark.parametrize("body", [b"[" * DEEP, b'{"a":' * DEEP, b"[" * DEEP + b"]" * DEEP], ids=["open", "keys", "closed"])
def test_a_deep_document_is_only_unparseable(body: bytes) -> None:
    """Half a million levels need no stack: the event is ignored as unparseable."""
    parsed = events.parse(body)
    by_workflow = workflow.parse(body, content_type="application/json", fresh_id="fresh")
    assert isinstance(parsed, Ignored)
    assert isinstance(by_workflow, Ignored)
    assert (parsed.reason, by_workflow.reason) == (Reason.UNPARSEABLE, Reason.UNPARSEABLE)


@given(st.binary(max_size=500), st.dictionaries(st.sampled_from(["x-ghl-signature", "x-wh-signature"]), st.text(max_size=700)))
def test_nothing_made_up_is_ever_a_signature(body: bytes, headers: dict[str, str]) -> None:
    """With anything in the two headers, a stranger is refused, and no error occurs."""
    with pytest.raises(Unauthorized):
        verify(body, headers, KEYS)


@pytest.mark.parametrize("form", ["json", "text"])
def test_a_logged_value_forges_no_line(form: str) -> None:
    """Line breaks and control characters of an id stay inside their own line."""
    command = [sys.executable, "-c", SPEAK, form, FORGED]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stderr
    assert len(told.rstrip("\n").split("\n")) == 1
    assert "\x1b" not in told
    assert "\r" not in told
    if form == "json":
        assert json.loads(told)["event"] == "webhook"


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 2\r\nContent-Length: 3\r\n",
        "Content-Length: -1\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "X-GHL-Signature: a\r\n b\r\nContent-Length: 2\r\n",
        "Content Length: 2\r\n",
    ],
)
def test_an_ambiguous_request_is_not_taken(head: str, receiver: str) -> None:
    """Two lengths, or an invalid one, never cause a 2xx or a second request from the first one's body."""
    address = urlsplit(receiver)
    with socket.create_connection((address.hostname, address.port), timeout=10) as stranger:
        stranger.sendall(f"POST /webhooks/ghl HTTP/1.1\r\nHost: x\r\n{head}\r\n{{}}".encode())
        stranger.shutdown(socket.SHUT_WR)
        told = stranger.makefile("rb").read().decode("latin-1")
    assert re.findall(r"HTTP/1\.1 (\d)", told) in ([], ["4"])


@pytest.mark.parametrize(
    "module", ["bridge/ghl/workflow_secrets.py", "bridge/operating/admin_auth.py", "bridge/receiver/console/sessions.py"]
)
def test_secrets_are_compared_in_constant_time(module: str) -> None:
    """A secret is compared by compare_digest, without another comparison of values."""
    tree = ast.parse((ROOT / module).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert any("compare_digest" in ast.unparse(call.func) for call in calls)
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare)]
    equal = [node for node in compared if any(isinstance(op, (ast.Eq, ast.NotEq, ast.In, ast.NotIn)) for op in node.ops)]
    secretive = [ast.unparse(node) for node in equal if re.search(r"secret|token|given|own\b", ast.unparse(node))]
    assert secretive == []
