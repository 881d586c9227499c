"""The simulator's media host: addresses that expire, WhatsApp's late files, hostile answers, and a transcription service."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.simulator.conftest import Receiver, Simulator


def sends(simulator: Simulator, *names: str, channel: str = "SMS") -> dict[str, Any]:
    """Let a contact send files."""
    return simulator.order("say", contact_id="contact0000000000001", text="", media=list(names), channel=channel)


def urls(simulator: Simulator, said: dict[str, Any]) -> list[str]:
    """The addresses in GHL's own record now."""
    found: list[str] = simulator.ghl("GET", f"/conversations/messages/{said['rest_message_id']}").json()["message"]["attachments"]
    return found


@pytest.mark.parametrize(
    ("name", "start"),
    [("picture", b"\x89PNG"), ("voice_note", b"OggS"), ("voice_note_mp4", b"\x00\x00\x00"), ("video", b"\x00\x00\x00")],
)
def test_a_webhook_brings_the_address_of_a_file(simulator: Simulator, receiver: Receiver, name: str, start: bytes) -> None:
    """It can be opened without a login."""
    simulator.order("defaults", webhook_url=receiver.url)
    sends(simulator, name)
    (hook,) = receiver.wait_for(1)
    (url,) = hook.payload["attachments"]
    answer = httpx.get(url)
    assert (answer.status_code, answer.content.startswith(start)) == (200, True)


def test_whatsapps_webhook_holds_nothing_and_rest_has_it_later(simulator: Simulator, receiver: Receiver) -> None:
    """GHL's own webhooks do this: https://github.com/GoHighLevel/highlevel-api-docs/issues/299."""
    simulator.order("defaults", webhook_url=receiver.url, media_late_seconds=0.5)
    said = sends(simulator, "picture", channel="WhatsApp")
    (hook,) = receiver.wait_for(1)
    assert (hook.payload["body"], hook.payload["attachments"]) == ("", [])
    deadline = time.monotonic() + 10
    while not urls(simulator, said) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert httpx.get(urls(simulator, said)[0]).status_code == 200


def test_an_address_expires_and_rest_tells_another(simulator: Simulator) -> None:
    """An expired address answers 403, like media hosts do."""
    simulator.order("defaults", media_url_seconds=0)
    said = sends(simulator, "picture")
    (old,) = urls(simulator, said)
    time.sleep(0.01)
    assert httpx.get(old).status_code == 403
    simulator.order("defaults", media_url_seconds=60)
    assert httpx.get(urls(simulator, said)[0]).status_code == 200


def test_a_length_may_be_a_lie(simulator: Simulator) -> None:
    """Less data arrives than announced."""
    simulator.fault("media", {"kind": "lie"})
    (url,) = urls(simulator, sends(simulator, "picture"))
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        httpx.get(url)


def test_a_stream_may_have_no_end(simulator: Simulator) -> None:
    """It ends when the client closes."""
    simulator.fault("media", {"kind": "endless"})
    (url,) = urls(simulator, sends(simulator, "picture"))
    came = 0
    with httpx.stream("GET", url) as answer:
        for chunk in answer.iter_raw():
            came += len(chunk)
            if came > 3_000_000:
                break
    assert came > 3_000_000


def test_a_redirect_leads_inside(simulator: Simulator) -> None:
    """It is a status with its headers."""
    inside = {"kind": "status", "status": 302, "headers": {"Location": "http://169.254.169.254/"}}
    simulator.fault("media", inside)
    (url,) = urls(simulator, sends(simulator, "picture"))
    assert httpx.get(url).headers["location"] == "http://169.254.169.254/"


def test_transcriptions_say_what_they_are_told_to(simulator: Simulator) -> None:
    """They have the scripted text, or none with 200; without a file or a model the answer is 400."""
    url, files, data = f"{simulator.url}/v1/audio/transcriptions", {"file": ("a.ogg", b"OggS")}, {"model": "m"}
    simulator.order("defaults", spoken="Hello")
    assert httpx.post(url, files=files, data=data).json() == {"text": "Hello"}
    simulator.fault("transcription", {"kind": "empty"}, times=1)
    assert httpx.post(url, files=files, data=data).json() == {"text": ""}
    assert httpx.post(url, data=data).status_code == 400
