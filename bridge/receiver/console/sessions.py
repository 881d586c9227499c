"""Console sessions: a signed cookie without personal data (its name, flags and path), and a token against forged forms."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from hmac import compare_digest
from typing import TYPE_CHECKING
from uuid import uuid4

from itsdangerous import BadData, Signer, TimestampSigner, URLSafeTimedSerializer

from bridge.model import OWNER, Operator, Role
from bridge.receiver.console.headers import is_secure

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bridge.settings import Settings

COOKIE, NOTE = "ghlb_session", "ghlb_note"
PATH = "/console"
SECONDS = 12 * 3600
NOTE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence for the next page: what was done, or why it was not (`failed`)."""

    says: str
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Session:
    """One login. Every form of its pages contains `csrf`. `by_proxy`: a proxy's header named the operator."""

    id: str
    csrf: str
    operator: Operator = OWNER
    by_proxy: bool = False


class Sessions:
    """Signs with keys derived from admin token and secret keys, so a new admin token ends all logins.

    `seconds` is the duration of a login.
    """

    def __init__(self, settings: Settings, *, seconds: int = SECONDS) -> None:
        self._seconds = seconds
        token = settings.admin_token.get_secret_value() if settings.admin_token else uuid4().hex
        secrets = settings.fernet_keys if settings.secret_key else ("",)
        # The newest key signs (itsdangerous expects it last); all keys are accepted.
        keys = [sha256(f"ghl-bridge console\0{token}\0{secret}".encode()).digest() for secret in reversed(secrets)]
        self._cookie = TimestampSigner(keys, salt="session", digest_method=sha256)
        # With another name, because a receiver of an older version would read such a cookie as one of BRIDGE_ADMIN_TOKEN.
        self._operators = URLSafeTimedSerializer(keys, salt="operator", signer_kwargs={"digest_method": sha256})
        self._csrf = Signer(keys, salt="csrf", digest_method=sha256)
        self._notes = URLSafeTimedSerializer(keys, salt="note", signer_kwargs={"digest_method": sha256})

    def begin(self, operator: Operator = OWNER, *, by_proxy: bool = False) -> str:
        """The cookie value of a new session."""
        if not operator.name:
            return self._cookie.sign(uuid4().hex).decode()
        return str(self._operators.dumps([uuid4().hex, operator.name, operator.mark, by_proxy]))

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None if it is forged or expired. Of a named operator only name and mark are known."""
        try:
            id_ = self._cookie.unsign(cookie, max_age=self._seconds).decode()
        except BadData:
            return self._of_operator(cookie)
        return Session(id_, self._csrf.get_signature(id_).decode())

    def _of_operator(self, cookie: str) -> Session | None:
        try:
            id_, name, mark, by_proxy = self._operators.loads(cookie, max_age=self._seconds)
        except (BadData, ValueError):
            return None
        nothing_yet = Operator(name=name, role=Role.READ, location_ids=frozenset(), mark=mark)
        return Session(id_, self._csrf.get_signature(id_).decode(), nothing_yet, by_proxy)

    def is_meant(self, session: Session, csrf: str) -> bool:
        """Whether a form's token belongs to this session."""
        return compare_digest(session.csrf.encode(), csrf.encode())

    def note(self, note: Note) -> str:
        """A sentence for the next page, as a cookie."""
        return str(self._notes.dumps([note.says, note.failed]))

    def noted(self, cookie: str) -> Note | None:
        """The sentence in such a cookie; None if it is old or not the bridge's."""
        try:
            says, failed = self._notes.loads(cookie, max_age=NOTE_SECONDS)
        except (BadData, ValueError):
            return None
        return Note(str(says), bool(failed))


def keep_cookie(response: Response, request: Request, name: str, value: str, seconds: int) -> None:
    """Set a cookie that only the console's pages receive and no script reads; over HTTPS only, if the request used it."""
    response.set_cookie(name, value, max_age=seconds, path=PATH, secure=is_secure(request), httponly=True, samesite="strict")


def forget_cookie(response: Response, name: str) -> None:
    """Delete a cookie in the browser."""
    response.delete_cookie(name, path=PATH)
