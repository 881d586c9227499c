#!/usr/bin/env bash
# What one would expect: tenacity's `wait_exponential_jitter(max=60, jitter=10)` spreads the tries of many clients for as long as they try. Its
# purpose is that clients which fail together don't come back together, and that matters most in a long outage.
# What happens: the jitter is added before the wait is cut to `max`. From the try on at which the exponential part alone reaches `max`, every
# client waits exactly `max`: all come back at the same moment, try after try. stamina, which is built on tenacity and has jitter on by default,
# does the same with its own defaults from the seventh wait on. The cure with tenacity's parts: `wait_exponential(max=60) + wait_random(0, 10)`.
# Versions: tenacity 9.2.1, stamina 26.1.0, 1,000 clients. Seen 2026-11-30. Source: tenacity's pull request 703 (2026-08-28, open) wants it changed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "tenacity==9.2.1" "stamina==26.1.0"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import stamina
import tenacity

CLIENTS = 1000
print("tenacity", version("tenacity"), "stamina", version("stamina"))


def state(number):
    made = tenacity.RetryCallState(retry_object=tenacity.Retrying(), fn=None, args=(), kwargs={})
    made.attempt_number = number
    return made


def waits(wait, number):
    return {wait(state(number)) for _ in range(CLIENTS)}


jittered = tenacity.wait_exponential_jitter(multiplier=1, max=60, jitter=10)
for number in range(4, 9):
    each = waits(jittered, number)
    print(f"tenacity, wait {number}: {len(each)} different ones, {min(each):.1f} to {max(each):.1f} s")
assert len(waits(jittered, 6)) == CLIENTS, "there is no jitter before the longest wait either"
assert waits(jittered, 7) == {60.0}, "there is jitter at the longest wait now"

summed = tenacity.wait_exponential(multiplier=1, max=60) + tenacity.wait_random(0, 10)
assert len(waits(summed, 7)) == CLIENTS, "the sum of two waits behaves otherwise now"

# stamina's documented defaults: wait_initial=0.1, wait_max=5.0, wait_jitter=1.0, wait_exp_base=2; what it tells of the next wait.
tenacity.nap.time.sleep = lambda seconds: None
told = []
stamina.instrumentation.set_on_retry_hooks([lambda details: told.append(details.wait_for)])
seventh = set()
for _ in range(20):
    told.clear()
    try:
        stamina.retry(on=ValueError, attempts=9, timeout=None)(int)("x")
    except ValueError:
        seventh.add(told[6])
print(f"stamina, wait 7 of twenty clients: {min(seventh):.3f} to {max(seventh):.3f} s")
assert max(seventh) - min(seventh) < 0.001, "stamina behaves otherwise now"
PYTHON
