"""What a process gets from its machine at its start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bridge.operating.doctor.process import examine_descriptors
from bridge.process import descriptors, descriptors_needed
from bridge.settings import Settings

START = """
import os, resource
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 500))
from bridge.errors import OutOfResources
from bridge.process import descriptors, prepare
from bridge.wire.calls import Wire
wire = Wire()
print(prepare(), descriptors())
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) - 1, 500))
print("b\\u00fccher.example".encode("idna").decode(), b"\\xa4".decode("iso8859_15"))
try:
    wire.call("GET", "http://localhost:9/", headers={}, seconds=5.0)
except OutOfResources as error:
    print(error)
"""


def test_a_process_takes_what_it_needs_later() -> None:
    """The soft limit becomes the hard one, codecs are loaded without a descriptor, and a call says what the machine lacks."""
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, timeout=60, check=False)
    said = ["500 500", "xn--bcher-kva.example €", "this machine is out of resources: EMFILE"]
    assert done.stdout.splitlines() == said, done.stderr


@pytest.mark.parametrize(("slots", "needed"), [(1, 1280), (2000, 9148)])
def test_the_doctor_warns_of_too_few_descriptors(slots: int, needed: int) -> None:
    """It names the need of a worker with this many slots, and what to do if the limit is lower."""
    settings = Settings(WORKER_CONCURRENCY=slots)
    assert descriptors_needed(settings.worker_threads) == needed
    finding = examine_descriptors(settings)
    assert finding.note is (descriptors() < needed)
    assert ("LimitNOFILE" in finding.says) is (descriptors() < needed)
