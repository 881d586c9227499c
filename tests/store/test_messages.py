"""Messages as they are kept."""

from __future__ import annotations

import orjson

from bridge.model import Channel
from bridge.store.messages import decode, encode
from tests.stored import message


def test_a_message_comes_back_as_it_was() -> None:
    """Every field survives being kept."""
    kept = message(channel=Channel.EMAIL, attachments=("https://x.com/1",), subject="s", sender="ann@example.com")
    assert decode(encode(kept).decode()) == kept


def test_a_message_of_an_older_version_is_read() -> None:
    """What was kept before messages had a sender has none."""
    fields = orjson.loads(encode(message(sender="ann@example.com")))
    del fields["sender"]
    assert decode(orjson.dumps(fields).decode()) == message()
