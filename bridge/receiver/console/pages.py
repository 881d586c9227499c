"""The type of pages: a value with a template and its variables, rendered in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from bridge import times
from bridge.model import OWNER, Role
from bridge.operating.reasons import REASONS
from bridge.operating.sentences import evidence_lines, sentence
from bridge.receiver.console.labels import step_name, tone
from bridge.time_zones import zone

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from starlette.requests import Request

    from bridge.operating.events import EventShown
    from bridge.operating.operation import Operations
    from bridge.operating.services import AdminServices
    from bridge.receiver.console.sessions import Session

ROOM = "bridge.receiver.console"
HOME = "/console/"
NAVIGATION = (
    ("overview", "Overview", "/console/"),
    ("conversations", "Conversations", "/console/conversations"),
    ("letters", "Dead letters", "/console/dead-letters"),
    ("locations", "Locations", "/console/locations"),
    ("report", "Report", "/console/report"),
    ("live", "Live", "/console/live"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request of a logged-in operator. `form` is empty unless the request is a change; its token was checked."""

    request: Request
    session: Session
    perform: Operations
    admin_services: AdminServices
    form: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def asked(self, name: str) -> str:
        """A query parameter; empty if it is missing."""
        return self.request.query_params.get(name, "").strip()

    def path(self, name: str) -> str:
        """A path parameter."""
        return str(self.request.path_params[name])

    def given(self, name: str) -> str:
        """A form field; empty if it is missing."""
        return next(iter(self.form.get(name, ())), "")

    def back(self, otherwise: str) -> str:
        """The page that the form came from, if it is one of the console's."""
        here = self.given("here")
        return here if is_own(here) else otherwise


def is_own(address: str) -> bool:
    """Whether it is a page of the console: a link must not lead out of it."""
    return address.startswith(HOME) and "//" not in address and "\\" not in address and address.isprintable()


@dataclass(frozen=True, slots=True)
class Page:
    """A page: its template, its entry in the navigation, and its variables."""

    template: str
    place: str
    shows: dict[str, Any] = field(default_factory=dict)
    status: int = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """An action succeeded, or `failed`: redirect to `to`, which shows `note`."""

    to: str
    note: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class FileToSave:
    """A file to save, as UTF-8."""

    name: str
    text: str
    media_type: str


class Renderer:
    """Renders pages as HTML, with all values escaped."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader(ROOM),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            moment=times.read,
            exactly=times.exactly,
            span=times.span,
            sentence=sentence,
            evidence=evidence_lines,
            happened=happened,
            tone=tone,
            step=step_name,
            clock=clock,
            words=words,
            without_empty=without_empty,
        )
        self._environment.globals.update(navigation=NAVIGATION, version=self._version, reasons=REASONS, pairs=pairs)

    def render(self, page: Page, **around: Any) -> str:
        """The HTML of a page; `around` is what every page shows: session, note, badges, its own address."""
        now = datetime.now(UTC)
        usual = {
            "session": None,
            "note": None,
            "dead_letters": 0,
            "missing": (),
            "place": page.place,
            "here": "",
            "operator": OWNER,
        }
        role = around.get("operator", OWNER).role
        can = {"operate": role.covers(Role.OPERATE), "admin": role.covers(Role.ADMIN)}
        return self._environment.get_template(page.template).render(
            {**usual, **around, **page.shows, "can": can, "ago": lambda moment: times.ago(moment, now)}
        )

    @cached_property
    def _version(self) -> str:
        """A version that changes with the static files, which browsers cache."""
        folder = files(ROOM) / "static"
        kept = sorted(folder.iterdir(), key=lambda file: file.name)
        return sha256(b"".join(file.read_bytes() for file in kept)).hexdigest()[:12]


def pairs(names: Iterable[str]) -> list[tuple[str, str]]:
    """Codes of the contract, each with its text."""
    return [(name, words(name)) for name in names]


def without_empty(fields: Mapping[str, str]) -> str:
    """Non-empty fields of a filter as a query."""
    return urlencode({name: value for name, value in fields.items() if value})


def words(name: str) -> str:
    """A name with spaces: `delivered_by_provider` becomes delivered by provider."""
    return name.replace("_", " ")


def clock(moment: datetime, zone_name: str) -> str:
    """The time of day in a time zone; in UTC if there is none."""
    return f"{moment.astimezone(zone(zone_name) if zone_name else UTC):%H:%M:%S}"


def happened(event: EventShown) -> str:
    """An event as a sentence."""
    return sentence({"step": event.step, **event.details})
