"""Checks a workflow webhook's secret. GHL's free webhook action sets no headers, so the path may carry it."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import TYPE_CHECKING

from bridge.errors import Unauthorized

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bridge.model import LocationId

_BEARER = "bearer "


def presented(headers: Mapping[str, str], path_secret: str) -> tuple[bytes, ...]:
    """All secrets of a request: in the path, in `X-Bridge-Secret`, as bearer. Raises Unauthorized if there is none.

    A slash before or after the secret in the path may be part of it or a typing mistake.
    """
    authorization = headers.get("authorization", "")
    bearer = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
    # ASGI decodes headers as Latin-1, whatever their bytes are.
    in_headers = (given.strip().encode("latin-1", "replace") for given in (headers.get("x-bridge-secret", ""), bearer))
    in_path = (given.encode("utf-8", "replace") for given in (path_secret, path_secret.strip("/")))
    found = tuple(dict.fromkeys(given for given in (*in_path, *in_headers) if given))
    if not found:
        raise Unauthorized("no secret")
    return found


def keyed_hash(secret: bytes, location_id: LocationId, key: str) -> str:
    """The stored form of a location's own secret: without `key`, not even a weak secret can be guessed from it."""
    return hmac.new(key.encode(), b"workflow_secret:%b:%b" % (location_id.encode(), secret), sha256).hexdigest()


def verify(given: Sequence[bytes], location_id: LocationId, *, own: str, shared: Iterable[str], keys: Iterable[str]) -> None:
    """Compare in constant time. Raises Unauthorized if no secret matches.

    `own` is the keyed hash of the location's own secret; then shared ones are not valid. It is empty if there is none.
    """
    if own:
        fits = [hmac.compare_digest(keyed_hash(each, location_id, key), own) for each in given for key in keys]
    else:
        fits = [hmac.compare_digest(each, secret.encode()) for each in given for secret in shared if secret]
    if not any(fits):
        raise Unauthorized(f"the secret is not the one of {'its location' if own else 'BRIDGE_WORKFLOW_SECRET'}")
