"""The locations file: defaults, errors by their keys, and no secret in a message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bridge.errors import WrongInput
from bridge.locations_file import read
from bridge.model import Channel

if TYPE_CHECKING:
    from bridge.locations import Location

ENVIRON = {"ACME": "pit-acme", "OTHER": "pit-other", "EMPTY": ""}


def one(text: str) -> Location:
    (location,) = read(text, ENVIRON)
    return location


def faults(text: str) -> list[str]:
    with pytest.raises(WrongInput) as caught:
        read(text, ENVIRON)
    return str(caught.value).splitlines()


def test_an_empty_table_is_a_location() -> None:
    """A location without keys has the contract's defaults."""
    location = one("[locations.here]")
    assert (location.id, location.mode, location.provider) == ("here", "live", "assistable")
    assert (location.debounce_seconds, location.debounce_max_seconds, location.max_age_seconds) == (5, 60, 21600)
    assert [channel.value for channel in location.channels] == ["SMS", "WhatsApp", "FB", "IG", "Live_Chat", "Custom"]
    assert (location.off_tags, location.required_tags, location.contact_lookup) == (("ai_off",), (), True)
    assert (location.openai.max_tokens, location.webhook.reply_path, location.assistable.delivery) == (4000, "output", "auto")
    assert location.ghl_token is None


def test_defaults_stand_below_each_location() -> None:
    """Every key may be in [defaults]; a location's own key replaces it completely."""
    here, there = read(
        """
        [defaults]
        debounce_seconds = 1.5
        off_tags = ["a", "b"]
        channels = ["Email"]
        [locations.here]
        [locations.there]
        debounce_seconds = 0
        off_tags = []
        """,
        ENVIRON,
    )
    assert (here.debounce_seconds, here.off_tags, here.channels) == (1.5, ("a", "b"), (Channel.EMAIL,))
    assert (there.debounce_seconds, there.off_tags, there.channels) == (0, (), (Channel.EMAIL,))


def test_a_type_is_named_as_ghl_does() -> None:
    """It may have TYPE_ and any case; the channel must be one that can be answered."""
    assert one('[locations.here]\ntypes = { "new chat" = "Live_Chat", TYPE_B = "RCS" }').types == {
        "TYPE_NEW_CHAT": Channel.LIVE_CHAT,
        "TYPE_B": Channel.RCS,
    }
    assert "types" in faults('[locations.here]\ntypes = { TYPE_B = "Unknown" }')[0]
    assert "types" in faults('[locations.here]\ntypes = { "a-b" = "SMS" }')[0]
    assert "channels" in faults('[locations.here]\nchannels = ["Unknown"]')[0]


def test_provider_tables_merge_key_by_key() -> None:
    """A location's provider table adds to that of the defaults, which is unchanged for the others."""
    here, there = read(
        """
        [defaults.assistable]
        token = { env = "ACME" }
        delivery = "bridge"
        [locations.here.assistable]
        assistant_id = "a1"
        [locations.there.assistable]
        assistant_id = "a2"
        token = "own"
        delivery = "provider"
        """,
        ENVIRON,
    )
    assert here.assistable.token
    assert there.assistable.token
    assert (here.assistable.assistant_id, here.assistable.delivery) == ("a1", "bridge")
    assert here.assistable.token.get_secret_value() == "pit-acme"
    assert (there.assistable.assistant_id, there.assistable.delivery) == ("a2", "provider")
    assert there.assistable.token.get_secret_value() == "own"


@pytest.mark.parametrize(
    "text",
    [
        '[locations.here]\nghl_token = { env = "ACME" }',
        '[defaults]\nghl_token = { env = "ACME" }\n[locations.here]',
        '[defaults]\nghl_token = { env = "OTHER" }\n[locations.here]\nghl_token = { env = "ACME" }',
        '[defaults]\nghl_token = { env = "UNSET" }\n[locations.here]\nghl_token = "pit-acme"',
    ],
)
def test_a_token_comes_from_the_environment(text: str) -> None:
    """`{ env = }` works in any place, and is looked up only where it is used."""
    token = one(text).ghl_token
    assert token
    assert token.get_secret_value() == "pit-acme"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("debounce_seconds = -1", "debounce_seconds"),
        ("debounce_max_seconds = -0.1", "debounce_max_seconds"),
        ("max_age_seconds = -5", "max_age_seconds"),
        ("history_messages = -1", "history_messages"),
        ("takeover_seconds = -2", "takeover_seconds"),
        ("max_replies_per_day = -1", "max_replies_per_day"),
        ("sms_max_segments = 0", "sms_max_segments"),
        ("provider_timeout_seconds = 0", "provider_timeout_seconds"),
        ("reconcile_minutes = -1", "reconcile_minutes"),
        ("debounce_seconds = inf", "debounce_seconds"),
        ("debounce_seconds = nan", "debounce_seconds"),
        ("max_age_seconds = 1e999", "max_age_seconds"),
        ("takeover_seconds = inf", "takeover_seconds"),
        ("reconcile_minutes = nan", "reconcile_minutes"),
        ('debounce_seconds = "soon"', "debounce_seconds"),
        ("debounce_second = 5", "debounce_second"),
        ('id = "there"', "id"),
        ('channels = ["SMS", "Fax"]', "channels.1"),
        ('channels = "SMS"', "channels"),
        ('provider = "chatgpt"', "provider"),
        ('fallback_provider = "x"', "fallback_provider"),
        ('mode = "on"', "mode"),
        ('outside_hours = "later"', "outside_hours"),
        ('timezone = "Mars/Olympus"', "timezone"),
        ('timezone = ""', "timezone"),
        ('business_hours = ["mon-fri 09:00-17:30", "sat 25:00-26:00"]', "business_hours.1"),
        ('business_hours = ["mon-fri 9am-5pm"]', "business_hours.0"),
        ('business_hours = "mon-fri 09:00-17:30"', "business_hours"),
        ('ghl_token = { env = "UNSET" }', "ghl_token"),
        ('ghl_token = { env = "EMPTY" }', "ghl_token"),
        ('ghl_token = { env = "ACME", or = "x" }', "ghl_token"),
        ("ghl_token = { env = 5 }", "ghl_token"),
        ('ghl_token = { env = ["ACME"] }', "ghl_token"),
        ("ghl_token = 5", "ghl_token"),
        ("name = 2024-01-01", "name"),
        ("assistable = 5", "assistable"),
        ('assistable.delivery = "both"', "assistable.delivery"),
        ('assistable.assistent_id = "x"', "assistable.assistent_id"),
        ('assistable.url = "api.assistable.ai"', "assistable.url"),
        ('assistable.token = { env = "UNSET" }', "assistable.token"),
        ("openai.max_tokens = 0", "openai.max_tokens"),
        ('webhook.url = "ftp://x"', "webhook.url"),
    ],
)
def test_each_fault_is_named_by_its_key(line: str, key: str) -> None:
    """The sentence begins with the key, both in the location and in the defaults."""
    off = 'mode = "off"\n' * (key != "mode")
    (fault,) = faults(f"[locations.here]\n{off}{line}")
    assert fault.startswith(f"locations.here.{key}: ")
    if key != "id":
        (fault,) = faults(f"[defaults]\n{off}{line}\n[locations.here]")
        assert fault.startswith(f"locations.here.{key}: ")


@pytest.mark.parametrize(
    ("text", "beginning"),
    [
        ("", "locations: "),
        ("[locations]", "locations: "),
        ("[defaults]\ndebounce_seconds = 1", "locations: "),
        ("locations = 5", "locations: "),
        ("[[locations]]\nx = 1", "locations: "),
        ("[locations]\nhere = 5", "locations.here: "),
        ("defaults = 5\n[locations.here]", "defaults: "),
        ("[location.here]\n[locations.there]", "location: "),
        ('[locations."a b"]', "locations.a b.id: "),
        ('[locations."a:b"]', "locations.a:b.id: "),
        ('[locations.""]', "locations..id: "),
        ("[locations.here", "the file is not TOML: "),
        ("[locations.here]\nmode = live", "the file is not TOML: "),
        ("[locations.here]\n[locations.here]", "the file is not TOML: "),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, beginning: str) -> None:
    """Anything but [defaults] and at least one [locations.ID] is named."""
    assert faults(text)[0].startswith(beginning)


def test_all_faults_are_named_at_once() -> None:
    """One reading names every error of every location."""
    named = faults('[locations.a]\nmode = "x"\nfoo = 1\n[locations.b]\ndebounce_seconds = -1\n[c]')
    assert sorted(fault.split(":")[0] for fault in named) == [
        "c",
        "locations.a.foo",
        "locations.a.mode",
        "locations.b.debounce_seconds",
    ]


def test_no_fault_tells_a_token() -> None:
    """An error names the keys; the values may be secret."""
    text = """
        [locations.here]
        ghl_token = ["pit-secret"]
        workflow_secret = { value = "pit-secret" }
        assistable = { token = { env = "UNSET" }, delivery = "pit-secret" }
        provider = "pit-secret"
        """
    assert "pit-secret" not in "\n".join(faults(text))


def test_no_token_is_printed() -> None:
    """A location can be printed and logged without its token."""
    location = one('[locations.here]\nghl_token = "pit-secret"\nassistable.token = "pit-secret"\nworkflow_secret = "pit-secret"')
    assert "pit-secret" not in f"{location!r} {location!s} {location.model_dump()!r}"
