"""`ghl-bridge locations`: a file is applied completely or not at all, and secrets are never printed."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from cryptography.fernet import Fernet

from tests.stored import PROVIDED_TOML

if TYPE_CHECKING:
    from pathlib import Path

    from redis import Redis

    from tests.cli.conftest import Run

GOOD = """
[defaults]
mode = "draft"
[locations.AcmeDental1]
name = "Acme Dental"
ghl_token = "pit-very-secret"
workflow_secret = { env = "ACME_WORKFLOW" }
[locations.AcmeDental1.assistable]
assistant_id = "assistant-1"
token = { env = "ACME_TOKEN" }
"""
SECRETS = {"ACME_WORKFLOW": "workflow-very-secret", "ACME_TOKEN": "asst-very-secret"}


def test_what_was_applied_is_listed_and_shown(run: Run) -> None:
    """A file from standard input is applied with its defaults."""
    done = run("locations", "apply", "-", stdin=GOOD, **SECRETS)

    assert (done.returncode, done.stdout) == (0, "applied AcmeDental1  Acme Dental  (draft, assistable)\n")
    [listed] = json.loads(run("locations", "list", "--json").stdout)
    shown = json.loads(run("locations", "show", "AcmeDental1", "--json").stdout)
    assert {name: listed[name] for name in ("id", "name", "mode", "provider")} == {
        "id": "AcmeDental1",
        "name": "Acme Dental",
        "mode": "draft",
        "provider": "assistable",
    }
    assert shown["settings"]["assistable"]["assistant_id"] == "assistant-1"


def test_no_secret_comes_out_again(run: Run, redis: Redis) -> None:
    """`list` and `show` only say that a token is set, as text and as JSON, and Redis has it encrypted."""
    run("locations", "apply", "-", stdin=GOOD, **SECRETS)

    words = (["list"], ["list", "--json"], ["show", "AcmeDental1"], ["show", "AcmeDental1", "--json"])
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda more: run("locations", *more), words))

    everything = "".join(each.stdout + each.stderr for each in said)
    kept = "".join(str(redis.hgetall(name)) for name in redis.keys("*}:location:*"))
    assert [each.returncode for each in said] == [0] * 4
    assert "very-secret" not in everything + kept
    assert json.loads(said[3].stdout)["settings"]["ghl_token"] == "(set)"
    assert json.loads(said[3].stdout)["settings"]["assistable"]["token"] == "(set)"


def test_a_file_from_disk_is_read(run: Run, tmp_path: Path) -> None:
    """`apply FILE` takes a path."""
    file = tmp_path / "locations.toml"
    file.write_text(GOOD, encoding="utf-8")

    assert run("locations", "apply", str(file), **SECRETS).returncode == 0


FAULTS = {
    "[locations.A]\nmode = 'loud'": "locations.A.mode",
    "[locations.A]\ndebounce_seconds = -1": "locations.A.debounce_seconds",
    "[locations.A]\nprovider = 'nobody'": "locations.A.provider",
    "[locations.A]\nghl_token = { env = 'NOT_SET' }": "NOT_SET",
    "[locations.'a:b']\nname = 'x'": "locations.a:b",
    "[locations.A.assistable]\nassistant = 'x'": "locations.A.assistable.assistant",
    "[locations.A.webhook]\nurl = 'http://n8n.example/webhook'": "locations.A.webhook.url: must begin with https://",
    "[locations.A.openai]\nbase_url = 'http://192.168.1.1/v1'": "locations.A.openai.base_url",
    "[locations.A.agencii]\nadditional_instructions = '{contact_password}'": "locations.A.agencii.additional_instructions",
    "[locations.A]\nfallback_provider = 'assistable'": "locations.A.fallback_provider: assistable is the provider itself",
    "[settings]\nx = 1\n[locations.A]": "settings",
    "[locations]\nA = 3": "locations.A",
    "defaults = 3\n[locations.A]": "defaults",
    "": "locations",
    "this is not TOML": "line 1",
}


def test_a_file_with_a_fault_changes_nothing(run: Run, redis: Redis) -> None:
    """The exit code is 2, with one sentence per fault and its key or line; nothing was changed."""
    run("locations", "apply", "-", stdin=GOOD, **SECRETS)
    before = {name: redis.dump(name) for name in redis.scan_iter()}

    with ThreadPoolExecutor(4) as pool:
        texts = [text.replace("[locations.A]", "[locations.Fine]\n[locations.A]") for text in FAULTS]
        ended = list(pool.map(lambda text: run("locations", "apply", "-", stdin=text), texts))

    for done, named in zip(ended, FAULTS.values(), strict=True):
        assert (done.returncode, done.stdout) == (2, ""), named
        assert named in done.stderr
        assert "Traceback" not in done.stderr
    assert {name: redis.dump(name) for name in redis.scan_iter()} == before


def test_every_fault_of_a_file_is_named_at_once(run: Run) -> None:
    """All errors of a file are shown at once."""
    done = run("locations", "apply", "-", stdin="[locations.A]\nmode = 'loud'\ncolour = 1\n[locations.B]\ntimezone = 'x'")

    assert done.returncode == 2
    assert [named in done.stderr for named in ("locations.A.mode", "locations.A.colour", "locations.B.timezone")] == [True] * 3


def test_a_wrong_secret_is_not_quoted(run: Run) -> None:
    """A fault in a table that holds tokens names the key and never the value."""
    done = run("locations", "apply", "-", stdin="[locations.A]\nghl_token = ['pit-very-secret']\nmode = 'very-secret-mode'")

    assert done.returncode == 2
    assert "very-secret" not in done.stderr


def test_a_file_that_is_not_there_is_wrong_input(run: Run) -> None:
    """A folder, and a file that is not text, are refused too."""
    assert run("locations", "apply", "/nonexistent.toml").returncode == 2
    assert run("locations", "apply", "/").returncode == 2
    assert run("locations", "apply", "/bin/true").returncode == 2


def test_absent_locations_stay(run: Run) -> None:
    """`apply` adds and replaces; it removes nothing."""
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.One]\n[locations.Two]")

    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.Two]\nname = 'Second'")

    assert [(each["id"], each["name"]) for each in json.loads(run("locations", "list", "--json").stdout)] == [
        ("One", ""),
        ("Two", "Second"),
    ]


def test_an_unknown_location_is_wrong_input(run: Run) -> None:
    """`show` of an unknown id exits with 2 and a sentence, and prints nothing else."""
    done = run("locations", "show", "Nobody", "--json")

    assert (done.returncode, done.stdout) == (2, "")
    assert "Nobody" in done.stderr


def test_without_locations_the_list_is_an_empty_document(run: Run) -> None:
    """Scripts get an empty list, not an empty output."""
    assert json.loads(run("locations", "list", "--json").stdout) == []


def test_another_secret_key_is_said_and_not_a_traceback(run: Run) -> None:
    """Data encrypted with a removed key is a wrong setting (78); with the old key added, the commands work."""
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.One]", BRIDGE_SECRET_KEY=old)

    lost = run("locations", "show", "One", BRIDGE_SECRET_KEY=new)
    both = run("locations", "show", "One", BRIDGE_SECRET_KEY=f"{new},{old}")

    assert lost.returncode == 78
    assert "BRIDGE_SECRET_KEY" in lost.stderr
    assert "Traceback" not in lost.stderr
    assert both.returncode == 0
