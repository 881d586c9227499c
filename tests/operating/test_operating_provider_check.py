"""`locations check-provider`: the completion service is asked like a worker asks it, without a contact."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bridge.errors import NotKnown
from bridge.operating.doctor.end_to_end import QUESTION
from bridge.operating.provider_check import NOBODY, ProviderQuery, check_provider
from tests.other_side import OtherSide, answering, http
from tests.stored import HERE, keep

if TYPE_CHECKING:
    from redis import Redis

    from bridge.operating.operation import Operations

RAN = http(200, {"run": {"output": "It works."}})


def table(url: str, **more: Any) -> dict[str, Any]:
    return {"assistant_id": "a", "token": "very-secret-token", "url": f"{url}/complete", **more}


def test_a_service_that_answers_is_told_with_its_answer(perform: Operations, redis: Redis) -> None:
    """There was one question, about nobody in GHL."""
    with OtherSide(answering(RAN)) as side:
        keep(redis, assistable=table(side.url))
        checked = perform(check_provider, ProviderQuery(HERE))
    (asked,) = side.requests
    assert (checked.ok, checked.says, checked.answer) == (True, "assistable answered", "It works.")
    assert (asked.document["input"], asked.document["contact_id"]) == (QUESTION, NOBODY)


REFUSALS: dict[str, tuple[bytes, str, str | None]] = {
    "a wrong login": (http(401, {"message": "Key very-secret-token is not valid"}), "401", "Key [secret] is not valid"),
    "an error in a 200": (http(200, {"ok": False, "error": "No agent"}), "HTTP 200", "No agent"),
    "no reply": (http(200, {"run": {"output": ""}}), "gave no reply (empty)", None),
}


@pytest.mark.parametrize(("answer", "says", "said"), REFUSALS.values(), ids=REFUSALS)
def test_why_a_service_does_not_answer_is_told(
    perform: Operations, redis: Redis, answer: bytes, says: str, said: str | None
) -> None:
    """It is a sentence with the service's own text, without secrets."""
    with OtherSide(answering(answer)) as side:
        keep(redis, assistable=table(side.url))
        checked = perform(check_provider, ProviderQuery(HERE))
    assert (checked.ok, checked.answer) == (False, None)
    assert says in checked.says
    assert "very-secret" not in repr(checked)
    assert said is None or said in (checked.service_said or "")


def test_what_is_not_set_is_named(perform: Operations, redis: Redis) -> None:
    """No request is made for it; an unknown location is an error."""
    keep(redis)
    checked = perform(check_provider, ProviderQuery(HERE))
    assert not checked.ok
    assert "assistable.token" in checked.says
    with pytest.raises(NotKnown):
        perform(check_provider, ProviderQuery("nowhere"))
