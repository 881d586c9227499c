"""Render, Heroku and systemd: their files match the bridge, and each other."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from redis import Redis

from bridge.settings import Settings, from_environment

ROOT = Path(__file__).parents[2]
PROCFILE = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text(encoding="utf-8").splitlines())
BLUEPRINT: dict[str, Any] = yaml.safe_load((ROOT / "render.yaml").read_text(encoding="utf-8"))
SERVICES = {service["type"]: service for service in BLUEPRINT["services"]}
GROUP = {row["key"]: row for row in BLUEPRINT["envVarGroups"][0]["envVars"]}
APP: dict[str, Any] = json.loads((ROOT / "app.json").read_text(encoding="utf-8"))
# uvicorn's own.
KNOWN = {str(field.alias) for field in Settings.model_fields.values()} | {"FORWARDED_ALLOW_IPS"}
UNITS = {name: (ROOT / f"infra/systemd/ghl-bridge-{name}.service") for name in ("web", "worker")}
GENERATED = base64.b64encode(bytes(range(224, 256))).decode()
systemd = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")

SERVICE_KEYS = {
    *("type", "name", "runtime", "plan", "dockerfilePath", "dockerContext", "dockerCommand", "healthCheckPath"),
    *("maxShutdownDelaySeconds", "envVars", "disk"),
}


def shell(script: str, **environ: str) -> str:
    """The output of a script."""
    command = ["sh", "-c", script]
    return subprocess.run(command, env={"PATH": "/usr/bin:/bin", **environ}, capture_output=True, text=True, check=True).stdout


def test_render_runs_the_procfiles_processes() -> None:
    """Web and worker run the image with the Procfile's commands, with their own durable Redis."""
    for kind, process in (("web", "web"), ("worker", "worker")):
        assert SERVICES[kind]["dockerCommand"] == f"sh at_address.sh {PROCFILE[process]}"
        assert SERVICES[kind]["maxShutdownDelaySeconds"] >= 25
    redis = SERVICES["pserv"]
    assert redis["disk"]["mountPath"] == "/data"
    address = {"type": "pserv", "name": redis["name"], "property": "hostport"}
    assert all({"key": "REDIS_ADDRESS", "fromService": address} in SERVICES[kind]["envVars"] for kind in ("web", "worker"))


def test_render_is_told_only_what_it_knows() -> None:
    """Each key is in the Blueprint specification, each file exists, and each variable is read by something."""
    assert set(BLUEPRINT) == {"services", "envVarGroups"}
    for service in BLUEPRINT["services"]:
        assert set(service) <= SERVICE_KEYS
        assert (ROOT / service["dockerfilePath"]).is_file()
        assert {"fromGroup": BLUEPRINT["envVarGroups"][0]["name"]} in service["envVars"]
    assert set(GROUP) - {"REDIS_PASSWORD"} <= KNOWN


def test_a_key_that_render_generates_is_a_key() -> None:
    """256 bits in base64, including + and /, are valid as BRIDGE_SECRET_KEY."""
    assert {"+", "/"} <= set(GENERATED)
    assert from_environment({"BRIDGE_SECRET_KEY": GENERATED}).fernet_keys == (GENERATED,)
    assert GROUP["BRIDGE_SECRET_KEY"]["generateValue"] is True


@pytest.mark.parametrize("password", [GENERATED, "plain", "%/+=@:?#"])
def test_parts_of_an_address_become_a_url(password: str) -> None:
    """The password arrives unchanged, whatever its characters."""
    script = f"exec sh {ROOT}/infra/docker/image/at_address.sh printenv REDIS_URL"
    url = shell(script, REDIS_PASSWORD=password, REDIS_ADDRESS="redis-abc:6379").strip()
    assert from_environment({"REDIS_URL": url}).state_url == url
    found = Redis.from_url(url).get_connection_kwargs()
    assert (found["host"], found["port"], found["password"]) == ("redis-abc", 6379, password)


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("rediss://:p@ec2:6380", "rediss://:p@ec2:6380?ssl_cert_reqs=none"),
        ("rediss://:p@ec2:6380?ssl_ca_certs=/ca", "rediss://:p@ec2:6380?ssl_ca_certs=/ca"),
        ("redis://:p@ec2:6379", "redis://:p@ec2:6379"),
    ],
)
def test_herokus_redis_signs_its_certificate_itself(given: str, url: str) -> None:
    """Before each process its address gets the option to accept any certificate, unless it has an option already."""
    assert shell(f'. {ROOT}/.profile; printf %s "$REDIS_URL"', REDIS_URL=given) == url
    assert shell(f'. {ROOT}/.profile; printf %s "${{REDIS_URL:-unset}}"') == "unset"


def test_heroku_is_told_only_what_it_knows() -> None:
    """It has keys of app.json, the Procfile's processes, a durable Redis, and variables that are read by something."""
    assert set(APP) == {"name", "description", "keywords", "stack", "buildpacks", "formation", "addons", "env"}
    assert set(APP["formation"]) == set(PROCFILE)
    plan = APP["addons"][0]["plan"]
    assert plan.startswith("heroku-redis:")
    assert not plan.endswith(":mini")
    assert set(APP["env"]) <= KNOWN
    assert APP["env"]["BRIDGE_SECRET_KEY"] == {"description": APP["env"]["BRIDGE_SECRET_KEY"]["description"], "required": True}


def test_herokus_python_is_one_of_ours() -> None:
    """.python-version names a Python that pyproject.toml allows."""
    version = (ROOT / ".python-version").read_text(encoding="ascii").strip()
    assert version in {"3.11", "3.12", "3.13", "3.14"}


def test_the_command_that_makes_a_key_makes_one() -> None:
    """The command in app.json prints a valid key."""
    code = re.search(r"python3 -c '([^']+)'", APP["env"]["BRIDGE_SECRET_KEY"]["description"])
    assert code
    key = subprocess.run([sys.executable, "-c", code[1]], capture_output=True, text=True, check=True).stdout.strip()
    assert from_environment({"BRIDGE_SECRET_KEY": key}).fernet_keys == (key,)


@pytest.mark.parametrize("name", UNITS)
def test_units_run_the_procfiles_processes(name: str) -> None:
    """They run the same command, restarted after an end, but not after one for a wrong setting, with time for an orderly stop."""
    unit = UNITS[name].read_text(encoding="utf-8")
    assert f"\nExecStart=/opt/ghl-bridge/bin/{PROCFILE[name]}\n" in unit
    assert "\nRestartPreventExitStatus=78\n" in unit
    assert "\nTimeoutStopSec=30\n" in unit


@systemd
@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    """There is no error, and an intruder in the process could do little."""
    unit = tmp_path / UNITS[name].name
    here = str(Path(sys.executable).parent)
    unit.write_text(UNITS[name].read_text(encoding="utf-8").replace("/opt/ghl-bridge/bin", here), encoding="utf-8")
    read = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)  # noqa: S607
    assert (read.returncode, read.stderr) == (0, "")
    # 1.5 of 10: "OK" ends at 4.9, most of what is installed stands above 9.
    judge = ["systemd-analyze", "security", "--offline=true", "--threshold=15", str(unit)]
    judged = subprocess.run(judge, capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout[-300:]
