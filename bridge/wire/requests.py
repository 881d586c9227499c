"""Builds the bytes of a request: address, headers and body."""

from __future__ import annotations

import json as json_
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpcore
import httpx

from bridge.errors import OperatorMustFix

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

CONNECT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form: the field's name, the file's name, its bytes and their media type."""

    field: str
    name: str
    content: bytes
    mime: str


def encode(
    json: object | None, form: Mapping[str, str] | None, upload: Upload | None = None
) -> tuple[bytes | None, dict[str, str]]:
    """The body and its type. A lone surrogate (half an emoji) is sent as a question mark."""
    if upload is not None:
        file = {upload.field: (upload.name, upload.content, upload.mime)}
        # httpx is used only for the encoding; the address has no meaning.
        request = httpx.Request("POST", "https://localhost", data=dict(form or {}), files=file)
        return request.read(), {"Content-Type": request.headers["Content-Type"]}
    if form is not None:
        return urlencode(form, errors="replace").encode(), {"Content-Type": "application/x-www-form-urlencoded"}
    if json is None:
        return None, {}
    return json_.dumps(json, ensure_ascii=False).encode("utf-8", "replace"), {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Target:
    """An address as a request needs it. `raw` is its path and query as they are sent."""

    scheme: bytes
    host: str
    raw_host: bytes
    port: int | None
    netloc: bytes
    path: str
    raw: bytes


def read_target(url: str, params: Mapping[str, str | int] | None) -> Target:
    """Parse an address and add a query. Raises OperatorMustFix if it is invalid."""
    target = _parse(url)
    if not params:
        return target
    # httpx would parse the address once more.
    mark = b"&" if b"?" in target.raw else b"?"
    return replace(target, raw=target.raw + mark + str(httpx.QueryParams(params)).encode())


@lru_cache(maxsize=256)
def _parse(url: str) -> Target:
    """Parse an address; cached, because most calls use the same ones."""
    try:
        parsed = httpx.URL(url)
        host = parsed.host  # decoded only now: a name that begins with xn-- may be invalid
    except (httpx.InvalidURL, UnicodeError):
        raise OperatorMustFix("the address of a request is invalid: check it for stray characters") from None
    if parsed.scheme not in {"http", "https"} or not host:
        raise OperatorMustFix("the address of a request must begin with https:// (or http://) and a host")
    return Target(parsed.raw_scheme, host, parsed.raw_host, parsed.port, parsed.netloc, parsed.path, parsed.raw_path)


def build(
    method: str,
    target: Target,
    headers: Mapping[str, str],
    content: bytes | None,
    *,
    seconds: float,
    trace: Callable[[str, Mapping[str, Any]], None],
) -> httpcore.Request:
    """Build a request, with a timeout of `seconds` per step. Raises OperatorMustFix if a header can't be sent."""
    return httpcore.Request(
        method,
        httpcore.URL(scheme=target.scheme, host=target.raw_host, port=target.port, target=target.raw),
        headers=_encode_headers(method, target, headers, content),
        content=content,
        extensions={"timeout": _timeout(seconds), "trace": trace},
    )


def _encode_headers(method: str, target: Target, named: Mapping[str, str], content: bytes | None) -> list[tuple[bytes, bytes]]:
    try:
        headers = [(name.encode("ascii"), value.encode("ascii")) for name, value in named.items()]
    except UnicodeError:
        raise OperatorMustFix("a header (a token) of a request is invalid: check it for stray characters") from None
    length = [(b"Content-Length", b"%d" % len(content or b""))] if content is not None or method == "POST" else []
    return [(b"Host", target.netloc), *headers, *length]


def _timeout(seconds: float) -> dict[str, float]:
    return {"connect": min(seconds, CONNECT_SECONDS), "read": seconds, "write": seconds, "pool": seconds}
