"""GHL's OAuth as plain values: the install URL, the requests for tokens, and the meaning of the answers.

https://marketplace.gohighlevel.com/docs/Authorization/OAuth2.0, read 2026-08-30, and infra/decisions/0003.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from bridge.errors import OperatorMustFix, OutcomeUnknown, Retryable, TokenRefused
from bridge.ghl.fields import identifier
from bridge.ghl.rate_limit_headers import TOO_MANY_REQUESTS
from bridge.ghl.refusals import is_version, version_refused
from bridge.model import LocationId
from bridge.wire.answers import as_text, json_object, retry_after, shape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.errors import BridgeError

CHOOSER = "https://marketplace.gohighlevel.com/v2/oauth/chooselocation"
VERSION = "2021-07-28"
# The bridge's actions in GHL; `oauth.write` is for an agency's install, whose token is exchanged for those of its locations,
# `conversation-ai.readonly` for telling GHL's own bot from a person.
# GHL silently leaves out a scope that is not selected in the app's settings.
SCOPES = (
    "conversations.readonly",
    "conversations/message.readonly",
    "conversations/message.write",
    "contacts.readonly",
    "contacts.write",
    "oauth.write",
    "conversation-ai.readonly",
)
# About 24 hours, for an answer without a lifetime.
USUAL_SECONDS = 86_399.0

Kind = Literal["Location", "Company"]
REFUSED = frozenset({400, 401, 403, 422})
REQUEST_TIMEOUT, SERVER_ERROR = 408, 500
_CLIENT_SIGNS = (
    "invalid_client",
    "client credentials",
    "client_id",
    "client_secret",
    "client id",
    "client secret",
    "redirect_uri",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """The marketplace app as GHL knows it."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """Tokens from GHL, valid for `seconds`. Without a `refresh_token`, an agency's token was exchanged for one location's.

    For an agency, `locations` are the ids of the locations with the app.
    """

    kind: Kind
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    seconds: float
    location_id: LocationId
    company_id: str
    locations: tuple[LocationId, ...] = ()


def chooser(app: App, *, state: str = "") -> str:
    """The URL at GHL where an installer chooses the location."""
    query = {
        "response_type": "code",
        "client_id": app.client_id,
        "redirect_uri": app.redirect_url,
        "scope": " ".join(SCOPES),
        **({"state": state} if state else {}),
    }
    return f"{CHOOSER}?{urlencode(query)}"


def by_code(app: App, code: str) -> dict[str, str]:
    """The form of the request for the first tokens. The code shows GHL whether a location or an agency installed the app."""
    return {**_client(app), "grant_type": "authorization_code", "code": code, "redirect_uri": app.redirect_url}


def by_refresh(app: App, refresh_token: str, kind: Kind) -> dict[str, str]:
    """The form of the request for the next pair, which invalidates the refresh token."""
    return {**_client(app), "grant_type": "refresh_token", "refresh_token": refresh_token, "user_type": kind}


def for_location(company_id: str, location_id: LocationId) -> dict[str, str]:
    """The form of the request for one location's token, with an agency's token."""
    return {"companyId": company_id, "locationId": location_id}


def reconnect(app: App, owner: str) -> dict[str, str]:
    """The JSON of the request for a new code of an install (`location:ID` or `company:ID`), with the app's own credentials."""
    kind, _, id_ = owner.partition(":")
    return {"clientKey": app.client_id, "clientSecret": app.client_secret, f"{kind}Id": id_}


def decipher_code(status: int, headers: Mapping[str, str], body: bytes) -> str:
    """Read an answer of `/oauth/reconnect`: a code. Raises as `decipher`."""
    what = "reconnect"
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        raise _refusal(status, headers, body, what=what)
    code = as_text((json_object(body) or {}).get("authorizationCode"))
    if not code:
        raise OutcomeUnknown(f"GHL's {what} can't be read: HTTP {status}, {shape(body)}")
    return code


def decipher(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> Granted:
    """Read an answer of `/oauth/token` or `/oauth/locationToken`. Error messages contain the status and the keys, no content.

    Raises:
        Retryable: 429: the code or token is still valid.
        OutcomeUnknown: 408, 5xx, or a 2xx without tokens: the code or token may be used.
        OperatorMustFix: client id and secret, or the address, are wrong.
        TokenRefused: the code or token is invalid, or no longer valid.
    """
    if not 200 <= status < 300:  # noqa: PLR2004 - the protocol's own numbers
        raise _refusal(status, headers, body, what=what)
    document = json_object(body) or {}
    access_token = _named(document, "access_token", "accessToken")
    if not as_text(access_token):
        raise OutcomeUnknown(f"GHL's {what} can't be read: HTTP {status}, {shape(body)}")
    location_id, company_id = identifier(document.get("locationId")), identifier(document.get("companyId"))
    return Granted(
        kind="Company" if as_text(document.get("userType")) == "Company" or not location_id else "Location",
        access_token=as_text(access_token),
        refresh_token=as_text(_named(document, "refresh_token", "refreshToken")),
        seconds=_seconds(_named(document, "expires_in", "expiresIn")),
        location_id=LocationId(location_id),
        company_id=company_id,
        locations=_locations(document.get("approvedLocations")),
    )


def _named(document: Mapping[str, Any], older: str, newer: str) -> Any:
    """A field in either spelling: API version v3 answers in camelCase (GHL's apps/v3/oauth-v3.json)."""
    return document.get(older) or document.get(newer)


def _client(app: App) -> dict[str, str]:
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def _refusal(status: int, headers: Mapping[str, str], body: bytes, *, what: str) -> BridgeError:
    sentence = f"GHL refused the {what}: HTTP {status}, {shape(body)}"
    if status == TOO_MANY_REQUESTS:
        return Retryable(sentence, retry_after=retry_after(headers))
    if status == REQUEST_TIMEOUT or status >= SERVER_ERROR:
        return OutcomeUnknown(sentence)
    words = _words(body)
    if is_version(words):
        return version_refused(sentence)
    if any(sign in words for sign in _CLIENT_SIGNS):
        return OperatorMustFix(f"{sentence}: check GHL_CLIENT_ID, GHL_CLIENT_SECRET and GHL_REDIRECT_URL")
    if status in REFUSED and json_object(body) is not None:
        return TokenRefused(sentence, side="ghl", renewable=status == 401)  # noqa: PLR2004
    return OperatorMustFix(f"{sentence}: check GHL_API_URL")


def _words(body: bytes) -> str:
    document = json_object(body) or {}
    return " ".join(as_text(document.get(name)) for name in ("error", "error_description", "message")).lower()


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return USUAL_SECONDS
    return float(value)


def _locations(value: Any) -> tuple[LocationId, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(LocationId(identifier(one)) for one in listed if identifier(one))
