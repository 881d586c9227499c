"""The command line's errors: exit codes, sentences, and standard output only for results."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest

from tests.stored import PROVIDED_TOML

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Run

NEEDS_STATE = (["locations", "list"], ["explain", "x"])


@pytest.mark.parametrize("words", [["--help"], ["locations", "apply", "--help"], ["up", "--help"]])
def test_help_needs_no_environment(bare: Run, words: list[str]) -> None:
    """All commands can be listed right after the installation."""
    done = bare(*words)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage" in done.stdout


def test_every_command_of_this_version_stands_in_the_help(bare: Run) -> None:
    """The first page names them all."""
    said = bare("--help").stdout

    assert all(name in said for name in ("demo", "up", "simulator", "doctor", "explain", "locations", "secrets"))


@pytest.mark.parametrize("words", [["fly"], ["locations", "fly"], ["explain"], ["demo", "twice"]])
def test_a_wrong_command_is_wrong_input(bare: Run, words: list[str]) -> None:
    """The exit code is 2, and standard output is empty."""
    done = bare(*words)

    assert (done.returncode, done.stdout) == (2, "")


@pytest.mark.parametrize("words", NEEDS_STATE)
def test_without_redis_url_the_setting_is_named(bare: Run, words: list[str]) -> None:
    """The exit code is 78, with one sentence."""
    done = bare(*words)

    assert (done.returncode, done.stdout) == (78, "")
    assert done.stderr.count("\n") == 1
    assert "REDIS_URL" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "localhost"),
        ("BRIDGE_SECRET_KEY", "short"),
        ("BRIDGE_RETRY_DELAYS", "1,x"),
    ],
)
def test_a_wrong_setting_is_named_and_its_value_is_not(bare: Run, name: str, value: str) -> None:
    """The exit code is 78, and the value is not printed, because it may be a secret."""
    done = bare("locations", "list", **{"REDIS_URL": "redis://127.0.0.1:1", name: value})

    assert (done.returncode, done.stdout) == (78, "")
    assert name in done.stderr
    assert value not in done.stderr.replace(name, "").split()


@pytest.mark.parametrize("words", [["locations", "list", "--json"], ["explain", "x", "--json"]])
def test_a_redis_that_does_not_answer_is_no_traceback(run: Run, words: list[str]) -> None:
    """The exit code is 1, because the command itself was right."""
    done = run(*words, REDIS_URL="redis://127.0.0.1:1")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ghl-bridge: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_an_unknown_id_is_wrong_input(run: Run, form: list[str]) -> None:
    """`explain` exits with 2 and prints no partial result."""
    done = run("explain", "nobody-knows-this", *form)

    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody-knows-this" in done.stderr


@pytest.mark.usefixtures("redis")
def test_new_secrets_can_be_used(bare: Run, redis_url: str) -> None:
    """The output of `secrets new` is an environment that the other commands accept."""
    printed = dict(line.split("=", 1) for line in bare("secrets", "new").stdout.splitlines())

    assert set(printed) == {"BRIDGE_SECRET_KEY", "BRIDGE_ADMIN_TOKEN", "BRIDGE_WORKFLOW_SECRET"}
    assert bare("locations", "list", REDIS_URL=redis_url, **printed).returncode == 0
    assert printed != dict(line.split("=", 1) for line in bare("secrets", "new").stdout.splitlines())


def test_doctor_names_everything_that_is_missing(bare: Run) -> None:
    """It names each missing setting and each service that does not answer, in one run and once each, with exit code 1."""
    done = bare("doctor", "--json", GHL_API_URL="http://127.0.0.1:1")

    findings = {each["what"]: each for each in json.loads(done.stdout)}
    wrong = {what for what, each in findings.items() if not each["ok"]}
    assert done.returncode == 1
    assert wrong == {"REDIS_URL", "BRIDGE_SECRET_KEY", "GHL"}
    assert findings["GHL_WEBHOOK_KEYS"]["ok"] is True


@pytest.mark.parametrize("broker", ["amqp://127.0.0.1:1", "amqp://host:port"])
def test_doctor_names_a_broker_that_does_not_answer(run: Run, broker: str) -> None:
    """Whatever is wrong with BROKER_URL, it is a finding and not a traceback."""
    done = run("doctor", "--json", BROKER_URL=broker, GHL_API_URL="http://127.0.0.1:1")

    [finding] = [each for each in json.loads(done.stdout) if each["what"] == "broker"]
    assert (done.returncode, finding["ok"]) == (1, False)
    assert "Traceback" not in done.stderr


def test_doctor_says_that_a_key_does_not_open_the_locations(run: Run, bare: Run) -> None:
    """A wrong BRIDGE_SECRET_KEY is not reported as "no locations yet"."""
    run("locations", "apply", "-", stdin=f"{PROVIDED_TOML}[locations.One]")

    new = dict(line.split("=", 1) for line in bare("secrets", "new").stdout.splitlines())["BRIDGE_SECRET_KEY"]
    done = run("doctor", "--json", BRIDGE_SECRET_KEY=new, GHL_API_URL="http://127.0.0.1:1")

    [finding] = [each for each in json.loads(done.stdout) if each["what"] == "locations"]
    assert finding["ok"] is False
    assert "BRIDGE_SECRET_KEY does not decrypt" in finding["says"]


def test_doctor_names_what_a_location_lacks(run: Run) -> None:
    """A missing token, assistant or provider token is a finding of its location."""
    text = "[defaults.assistable]\nassistant_id = 'a'\n[locations.Empty]\n[locations.Other]\nghl_token = 'pit-x'"
    assert run("locations", "apply", "-", stdin=text, ASSISTABLE_TOKEN="t").returncode == 0

    done = run("doctor", "--json", GHL_API_URL="http://127.0.0.1:1", ASSISTABLE_URL="http://127.0.0.1:1")
    one = run("doctor", "--json", "--location", "Other", GHL_API_URL="http://127.0.0.1:1", ASSISTABLE_URL="http://127.0.0.1:1")

    wrong = {each["what"] for each in json.loads(done.stdout) if not each["ok"]}
    assert {"location Empty ghl_token", "location Empty provider", "location Other provider"} <= wrong
    assert "location Other ghl_token" not in wrong
    assert not any("Empty" in each["what"] for each in json.loads(one.stdout))
    assert run("doctor", "--location", "Nobody", GHL_API_URL="http://127.0.0.1:1").returncode == 2


def test_doctor_looks_at_every_provider_and_warns_of_double_bots(run: Run) -> None:
    """A provider and its fallback are both checked; notes about who delivers are no problems."""
    text = """
    [locations.One]
    ghl_token = "pit-x"
    fallback_provider = "openai"
    assistable = { assistant_id = "a", token = "t", url = "http://localhost:1", delivery = "provider" }
    openai = { base_url = "http://127.0.0.1:1/v1", model = "m" }
    [locations.Two]
    ghl_token = "pit-x"
    provider = "openai"
    openai = { base_url = "http://127.0.0.1:1/v1", model = "m" }
    """
    assert run("locations", "apply", "-", stdin=text).returncode == 0

    findings = json.loads(run("doctor", "--json", GHL_API_URL="http://127.0.0.1:1").stdout)

    said = {each["what"]: (each["ok"], each["says"]) for each in findings}
    assert "nothing was sent" in said["location One provider"][1]
    asked = [said["location One fallback_provider"], said["location Two provider"]]
    assert [ok or "nothing was sent" in says for ok, says in asked] == [True, True]
    assert all("openai" in says or "127.0.0.1" in says for _, says in asked)
    notes = [each["says"] for each in findings if each["note"] and each["what"].endswith("assistable")]
    assert ["delivery = provider" in notes[0], "Active Tag" in notes[1], len(notes)] == [True, True, 2]


def test_doctor_notes_a_location_that_nothing_can_reach(run: Run) -> None:
    """Without event, workflow secret and search no message can arrive; a secret that can be guessed is noted too."""
    text = f"""{PROVIDED_TOML}
    [locations.Deaf]
    reconcile_minutes = 0
    [locations.Searched]
    [locations.Own]
    workflow_secret = "a-secret-of-its-own-that-is-long"
    [locations.Short]
    workflow_secret = "acme"
    """
    assert run("locations", "apply", "-", stdin=text).returncode == 0

    def noted(**environ: str) -> dict[str, str]:
        findings = json.loads(run("doctor", "--json", GHL_API_URL="http://127.0.0.1:1", **environ).stdout)
        return {each["what"]: each["says"] for each in findings if each["what"].endswith(" workflow_secret")}

    alone, shared = noted(), noted(BRIDGE_WORKFLOW_SECRET="a-secret-of-the-whole-agency")
    assert set(alone) == {"location Deaf workflow_secret", "location Short workflow_secret"}
    assert "webhooks are refused" in alone["location Deaf workflow_secret"]
    assert "can be guessed" in alone["location Short workflow_secret"]
    assert set(shared) == {"location Short workflow_secret"}


def test_doctor_in_words_keeps_a_finding_on_its_line(bare: Run) -> None:
    """In a pipe, a problem and its fix are on one line."""
    done = bare("doctor", GHL_API_URL="http://127.0.0.1:1")

    problems = [line for line in done.stdout.splitlines() if line.startswith("PROBLEM")]
    assert len(problems) == 3
    assert all(line.startswith(("PROBLEM", "ok")) for line in done.stdout.splitlines())


def test_a_fault_of_the_file_names_file_key_and_an_example(run: Run, tmp_path: Path) -> None:
    """Each line is complete: program, file, key, what is expected, and an example."""
    file = tmp_path / "mine.toml"
    file.write_text(
        "[locations.One]\nname = 3\nbusiness_hours = 'mon'\ntakeover_seconds = 'long'\nhistory_messages = 'few'\n"
        "contact_lookup = 'sure'\nwrong = 1\nassistable = { assistant_id = 3 }\nopenai = { max_tokens = 'x' }\n"
    )
    done = run("locations", "apply", str(file))

    start = f"ghl-bridge: {file}: locations.One."
    assert (done.returncode, done.stdout) == (2, "")
    assert {line.removeprefix(start) for line in done.stderr.splitlines()} == {
        'name: must be text in quotes, for example `name = "Acme Dental"`',
        'business_hours: must be a list, for example `business_hours = ["mon-fri 09:00-17:30", "sat 10:00-13:00"]`',
        "takeover_seconds: must be a number, for example `takeover_seconds = 86400`",
        "history_messages: must be a whole number, for example `history_messages = 20`",
        "contact_lookup: must be true or false, for example `contact_lookup = true`",
        "wrong: is not a known key",
        'assistable.assistant_id: must be text in quotes, for example `assistant_id = "..."`',
        "openai.max_tokens: must be a whole number, for example `max_tokens = 4000`",
    }
    file.write_text("[locations.One\n")
    assert run("locations", "apply", str(file)).stderr.startswith(f"ghl-bridge: {file}: the file is not TOML")


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("[locations.A]", ['assistable.assistant_id: is needed: add `assistant_id = "..."` to [locations.A.assistable]']),
        ("[locations.A]\nprovider = 'agencii'", ["agencii.api_integration_id: is needed"]),
        ("[locations.A]\nprovider = 'webhook'", ["webhook.url: is needed"]),
        ("[locations.A]\nprovider = 'openai'", ["openai.base_url: is needed", "openai.model: is needed"]),
        ("[locations.A]\nprovider = 'agent_studio'", ["agent_studio.agent_id: is needed"]),
        ("[locations.A]\nmode = 'draft'\nassistable = { assistant_id = 'a' }", ["assistable.token: ", "ASSISTABLE_TOKEN"]),
        ("[locations.A]\nprovider = 'agencii'\nagencii = { api_integration_id = 'a' }", ["agencii.token: ", "AGENCII_TOKEN"]),
        (
            f"{PROVIDED_TOML}[locations.A]\nfallback_provider = 'openai'\n[locations.A.openai]\nmodel = 'm'",
            ["openai.base_url: is needed"],
        ),
        (
            "[locations.A]\nwebhook = { url = 'http://n8n.example/x' }\n[locations.B]\nassistable = { assistant_id = 'a' }",
            ["A.assistable.assistant_id: ", "A.webhook.url: must begin with https://", "B.assistable.token: "],
        ),
        ("[locations.A]\n[locations.B]\nmode = 'loud'", ["A.assistable.assistant_id: is needed", "B.mode: "]),
    ],
)
def test_a_location_whose_provider_can_not_be_asked_is_refused(run: Run, text: str, faults: list[str]) -> None:
    """An id, an address or a token that the provider or its fallback needs is a fault; every one is named, nothing is applied."""
    done = run("locations", "apply", "-", stdin=text)

    assert (done.returncode, done.stdout) == (2, "")
    assert [fault for fault in faults if fault not in done.stderr] == []
    assert all(line.startswith("ghl-bridge: standard input: locations.") for line in done.stderr.splitlines())
    assert json.loads(run("locations", "list", "--json").stdout) == []


def test_a_location_that_is_off_needs_no_provider(run: Run) -> None:
    """Nor does one whose token is in the environment need one in the file."""
    assert run("locations", "apply", "-", stdin="[locations.A]\nmode = 'off'").returncode == 0
    text = "[locations.B]\nassistable = { assistant_id = 'a' }"
    assert run("locations", "apply", "-", stdin=text, ASSISTABLE_TOKEN="t").returncode == 0


def test_an_unreachable_redis_is_told_with_its_address(run: Run) -> None:
    """The error has the address and the command that shows more, and no password."""
    done = run("locations", "list", REDIS_URL="redis://:very-secret@127.0.0.1:1")

    assert done.returncode == 1
    assert "127.0.0.1:1" in done.stderr
    assert "`ghl-bridge doctor`" in done.stderr
    assert "very-secret" not in done.stderr


@pytest.mark.parametrize("command", ["up", "demo"])
def test_a_busy_port_is_one_sentence(bare: Run, command: str) -> None:
    """Before anything starts, the error names the port and the setting."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = bare(command, PORT=str(port))

    assert done.returncode == 1
    assert done.stderr == f"ghl-bridge: port {port} is in use: stop the program there, or set another one, as in `PORT=8001`\n"
