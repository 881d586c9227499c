"""The host of contacts' files, whose addresses expire, and a transcription service in OpenAI's form.

Faults are scripted as for other requests, with the groups `media` and `transcription`: a redirect to an internal address is a
`status` with a `Location`, a wrong length is `lie`, an endless stream `endless`, an expired address `status` 403.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

from starlette.routing import Route

from bridge.simulator.channels import WHATSAPP
from bridge.simulator.exchange import SimulatedEndpoint
from bridge.simulator.wire import Call, CallAnswer, Refused, reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.simulator.faults import Script
    from bridge.simulator.simulation import Simulation
    from bridge.simulator.world import Message

# What a contact can send: a name in the control API, and the file that is used for it. Instagram's voice notes are MP4s. The
# notes are spoken by flite's free voice `rms` (https://github.com/festvox/flite): "Do you open on Sunday?", the default `spoken`.
FILES = {
    "picture": ("picture.png", "image/png"),
    "voice_note": ("voice_note.ogg", "audio/ogg"),
    "voice_note_mp4": ("voice_note.mp4", "video/mp4"),
    "video": ("video.mp4", "video/mp4"),
}
_TYPES = dict(FILES.values())
_MODEL = re.compile(rb'name="model"\r\n\r\n(.+)\r\n')
_FILE = re.compile(rb'name="file"; filename=".+"\r\n')


class MediaHost:
    """Serves files, and makes new addresses whenever a message is shown. `url` is where the simulator listens."""

    def __init__(self, simulation: Simulation) -> None:
        self.simulation = simulation
        self.url = ""

    def attach(self, message: Message) -> None:
        """Attach files to a message. WhatsApp's are in no webhook, and in REST only some seconds later, as in GHL."""

        def links() -> list[str]:
            now, defaults = self.simulation.now(), self.simulation.defaults
            if message.channel is WHATSAPP and now < message.at + defaults.media_late_seconds * 1000:
                return []
            until = round(now + defaults.media_url_seconds * 1000)
            return [f"{self.url}/media/{message.id}/{FILES[name][0]}?until={until}" for name in message.media]

        message.links = links

    def routes(self) -> list[Route]:
        """Build the routes."""
        return [
            Route("/media/{message}/{file}", self._endpoint("media", self._file), methods=["GET"]),
            Route("/v1/audio/transcriptions", self._endpoint("transcription", self._transcribe), methods=["POST"]),
        ]

    def _endpoint(self, name: str, act: Callable[[Call, Script], CallAnswer]) -> SimulatedEndpoint:
        async def handle(call: Call, script: Script) -> CallAnswer:
            return act(call, script)

        return SimulatedEndpoint(
            simulation=self.simulation,
            name=name,
            group=name,
            handle=handle,
            subject=self._subject,
            headers=lambda _call: {},
        )

    def _subject(self, call: Call) -> None:
        message = self.simulation.world.messages.get(call.params.get("message", ""))
        if message:
            call.location_id, call.contact_id = message.location_id, message.contact_id

    def _file(self, call: Call, script: Script) -> CallAnswer:
        del script
        name, until = call.params["file"], call.query.get("until", "")
        if name not in _TYPES or call.params["message"] not in self.simulation.world.messages:
            raise Refused(CallAnswer(404, b"NoSuchKey", "application/xml"))
        if not until.isdecimal() or int(until) < self.simulation.now():
            raise Refused(CallAnswer(403, b"URL signature expired", "text/plain"))
        content = resources.files(__package__).joinpath("files", name).read_bytes()
        return CallAnswer(200, content, _TYPES[name])

    def _transcribe(self, call: Call, script: Script) -> CallAnswer:
        if not _MODEL.search(call.raw) or not _FILE.search(call.raw):
            raise Refused(reply(400, {"error": {"message": "model and file are required", "type": "invalid_request_error"}}))
        speech = script.speech("text") or {"text": self.simulation.defaults.spoken}
        return reply(200, {"text": "" if script.speech("empty") else speech["text"]})
