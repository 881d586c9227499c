"""State and broker over TLS: which certificates are trusted, and the error for others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from redis import Redis

from bridge.cli import redis_server
from tests.keys import key
from tests.story.certificates import SERVER, certify, needs_tls
from tests.story.machine import build, poll

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.story.machine import Machine

TLS = """
port 0
tls-port {port}
tls-cert-file {folder}/server.pem
tls-key-file {folder}/server.key
tls-auth-clients no
"""


pytestmark = needs_tls


@pytest.fixture(scope="module")
def tls_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine whose Redis uses only TLS; REDIS_URL names its CA, and is the broker's too."""
    folder = tmp_path_factory.mktemp("tls")
    made = build(folder)
    certify(folder)
    port = redis_server.free_port()
    configuration = Path(made.redis_command[1])
    kept = [line for line in configuration.read_text().splitlines() if not line.startswith("port ")]
    configuration.write_text("\n".join(kept) + TLS.format(port=port, folder=folder))
    bare = "rediss:" + made.environ["REDIS_URL"].partition(":")[2].rpartition(":")[0] + f":{port}/0"
    made.redis.close()
    made.redis_command[0] = str(SERVER)
    made.redis = Redis.from_url(bare, decode_responses=True, ssl_ca_certs=str(folder / "ca.pem"))
    made.environ.update(REDIS_URL=f"{bare}?ssl_ca_certs={folder / 'ca.pem'}")
    try:
        # Without a location the receiver would not be ready.
        for name in ("redis", "simulator"):
            made.start(name)
        made.apply(Plain={})
        made.restore()
        yield made
    finally:
        made.close()


@pytest.fixture
def machine(tls_machine: Machine) -> Iterator[Machine]:
    """The machine with a receiver and a worker that trust the CA."""
    tls_machine.restore()
    yield tls_machine
    for name in ("web", "worker"):
        tls_machine.kill(name)
    tls_machine.redis.delete(key("workers"))
    assert tls_machine.leaks() == []


def bare(machine: Machine) -> str:
    """The URL without the options that make the certificate trusted."""
    return machine.environ["REDIS_URL"].partition("?")[0]


@pytest.mark.parametrize("option", ["ssl_ca_certs={folder}/ca.pem", "ssl_cert_reqs=none"], ids=["named CA", "any"])
def test_state_and_broker_over_tls(machine: Machine, option: str) -> None:
    """One URL is for receiver, worker, command line and broker: the message is answered, once."""
    url = f"{bare(machine)}?{option.format(folder=machine.folder)}"
    for name in ("web", "worker"):
        machine.kill(name)
        machine.start(name, REDIS_URL=url)
    machine.redis.delete(key("workers"))
    machine.ready()
    ana = machine.person("Plain")

    assert ana.settles(ana.says("Is it private here?")).status == "replied"

    assert (ana.completions, len(ana.replies)) == (1, 1)
    done = machine.cli("doctor", REDIS_URL=url)
    assert done.returncode == 0, done.stdout


def test_a_state_that_nobody_vouches_for_is_not_used(machine: Machine) -> None:
    """Without its CA the receiver accepts nothing and says why, in a sentence with the fix; so does `doctor`."""
    machine.kill("web")
    machine.start("web", REDIS_URL=bare(machine))
    poll("the receiver", machine.listens)
    ana = machine.person("Plain")

    refused = machine.post(machine.webhook_of(ana.says("Who are you?", webhook=False)))
    ready = machine.http.get(f"{machine.url}/readyz")
    done = machine.cli("doctor", REDIS_URL=bare(machine))

    assert (refused.status_code, ready.status_code, done.returncode) == (429, 503, 1)
    for said in (ready.json()["why"], done.stdout):
        assert "its certificate is not trusted (unable to get local issuer certificate)" in said
        assert "?ssl_ca_certs=PATH" in said
    assert "its certificate is not trusted" in machine.log("web")


def test_a_broker_that_nobody_vouches_for_gets_no_wake_up(machine: Machine) -> None:
    """The broker's certificate is checked like the state's, though kombu by itself would accept any."""
    machine.kill("worker")
    machine.start("worker", BROKER_URL=bare(machine))
    ana = machine.person("Plain")
    said = ana.says("Who listens?")

    poll("the worker to say so", lambda: machine.log("worker").count("certificate verify failed") > 0)
    poll("an attempt to publish", lambda: "dispatcher.not_published" in machine.log("worker"))
    assert machine.redis.exists(machine.queue) == 0
    assert ana.completions == 0

    machine.restart("worker")
    assert ana.settles(said).status == "replied"


@pytest.mark.nightly
def test_a_certificate_expires_while_all_runs(machine: Machine) -> None:
    """New connections are refused, with the reason; once Redis has another certificate, all are answered once."""
    renew(machine, valid=timedelta(seconds=15))
    machine.restart("web")
    machine.restart("worker")
    expires = x509.load_pem_x509_certificate((machine.folder / "server.pem").read_bytes()).not_valid_after_utc
    poll("the end of the certificate", lambda: datetime.now(UTC) > expires, seconds=40)
    doctor = machine.cli("doctor")
    assert doctor.returncode == 1
    assert "certificate has expired" in doctor.stdout

    machine.redis.client_kill_filter(_type="normal", skipme=True)
    people = [machine.person("Plain") for _ in range(12)]
    said = [(each, each.says("Still there?", wait=False)) for each in people]
    renew(machine)
    machine.ready()

    assert [each.settles(one, seconds=60).status for each, one in said] == ["replied"] * 12
    assert [len(each.replies) for each in people] == [1] * 12


def renew(machine: Machine, *, valid: timedelta = timedelta(days=1)) -> None:
    """Give Redis another certificate through the open connection; it reads the files again."""
    certify(machine.folder, valid=valid)
    files = {name: str(machine.folder / file) for name, file in (("tls-cert-file", "server.pem"), ("tls-key-file", "server.key"))}
    machine.redis.config_set("tls-cert-file", files["tls-cert-file"], "tls-key-file", files["tls-key-file"])
