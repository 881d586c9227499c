"""Token refresh: any number of processes send one request, use the stored result, and report what they can't repair."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from bridge.access.next_tokens import ALL_SECONDS, ASK_SECONDS
from bridge.access.token_refresh import TokenRefresh
from bridge.errors import OperatorMustFix, Retryable, TokenRefused, Unavailable
from bridge.ghl.tokens import Tokens
from bridge.model import LocationId
from bridge.store.locations.grants import LEASE_SECONDS, NEXT_TRY_SECONDS, REFUSAL_COUNTS_SECONDS, of_location
from bridge.store.redis.connection import connect
from bridge.wire.calls import Wire
from tests.access.granting import AGENCY, APP, COMPANY_ID, HERE, MINE, opened
from tests.keys import key
from tests.other_side import http
from tests.stored import eventually, grants_of, own_redis, pass_time, snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis import Redis

    from tests.access.granting import Lender


@pytest.fixture
def lender(redis: Redis) -> Iterator[Lender]:
    with opened(redis) as lender:
        yield lender


def test_a_good_token_is_used_as_it_is(lender: Lender) -> None:
    """GHL is not asked, and Redis only the first time."""
    lender.lend(seconds=1000)
    renewing = lender.renewing()
    assert [renewing.token(MINE) for _ in range(3)] == ["access-0"] * 3
    lender.redis.delete(key("grant", MINE))
    assert renewing.token(MINE) == "access-0"
    assert lender.asked == []


def test_fifty_that_find_it_ended_ask_once(lender: Lender) -> None:
    """Threads of two processes that need a new token all get the same one, from one request."""
    lender.lend(seconds=0.001)
    lender.slow = 0.3
    time.sleep(0.01)
    each = [lender.renewing(), lender.renewing()]
    with ThreadPoolExecutor(50) as pool:
        tokens = list(pool.map(lambda number: each[number % 2].token(MINE), range(50)))
    assert (set(tokens), lender.shown()) == ({"access-1"}, ["refresh-0"])


def test_fifty_that_are_refused_ask_once(lender: Lender) -> None:
    """A token that GHL refuses before its end is renewed once for all threads."""
    lender.lend(seconds=1000)
    lender.slow = 0.3
    renewing = lender.renewing()
    with ThreadPoolExecutor(50) as pool:
        tokens = list(pool.map(lambda _: renewing.another(MINE, "access-0"), range(50)))
    assert (set(tokens), lender.shown()) == ({"access-1"}, ["refresh-0"])
    assert renewing.another(MINE, "access-0") == renewing.token(MINE) == "access-1"


PROCESSES = 4


def _of_a_process(redis_url: str, url: str) -> str:
    with connect(redis_url) as redis:
        renewing = TokenRefresh(grants_of(redis), Tokens(Wire(), url, APP))
        redis.incr("test:processes")
        eventually(lambda: int(redis.get("test:processes")) == PROCESSES)
        with ThreadPoolExecutor(5) as pool:
            return " ".join(pool.map(lambda _: renewing.token(MINE), range(5)))


def test_processes_ask_once(lender: Lender, redis_url: str) -> None:
    """The rule for threads holds for processes too: Redis decides which of them asks."""
    lender.lend(seconds=0.001)
    lender.slow = 0.5
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        tokens = " ".join(pool.starmap(_of_a_process, [(redis_url, lender.url)] * PROCESSES, chunksize=1)).split()
    assert (len(tokens), set(tokens), lender.shown()) == (20, {"access-1"}, ["refresh-0"])


def test_each_pair_brings_the_next(lender: Lender) -> None:
    """The next renewal sends the new refresh token, never the used one."""
    lender.lend(seconds=0.001)
    lender.seconds = 0.05
    tokens = []
    for _ in range(3):
        time.sleep(0.1)
        tokens.append(lender.renewing().token(MINE))
    assert (tokens, lender.shown()) == (["access-1", "access-2", "access-3"], ["refresh-0", "refresh-1", "refresh-2"])


def test_a_token_is_renewed_ahead_of_time(lender: Lender) -> None:
    """After nine tenths of its lifetime the next use renews a token; if that fails, it is used until its end, and retried."""
    lender.lend(seconds=100)
    pass_time(lender.redis, 89)
    assert lender.renewing().token(MINE) == "access-0"
    pass_time(lender.redis, 2)
    renewing = lender.renewing()
    assert renewing.token(MINE) == "access-1"
    assert lender.shown() == ["refresh-0"]


def test_ahead_of_time_nobody_waits(lender: Lender) -> None:
    """While another process renews it, or after a refusal by GHL, the token that is still valid is used."""
    lender.lend(seconds=100)
    pass_time(lender.redis, 95)
    begun = grants_of(lender.redis).begin(MINE, version=(grants_of(lender.redis).get(MINE) or pytest.fail("gone")).version)
    began = time.monotonic()
    assert (begun.how, lender.renewing().token(MINE)) == ("yours", "access-0")
    assert time.monotonic() - began < LEASE_SECONDS / 2
    grants_of(lender.redis).unsent(MINE, begun.nonce)
    lender.used_up.add("refresh-0")
    renewing = lender.renewing()
    assert [renewing.token(MINE) for _ in range(5)] == ["access-0"] * 5
    assert lender.shown() == ["refresh-0"]


def test_what_nobody_uses_is_renewed_too(lender: Lender) -> None:
    """The background renewal renews each due grant once, and no others."""
    lender.lend(seconds=100)
    assert lender.renewing().renew_due() == 0
    pass_time(lender.redis, 95)
    assert lender.renewing().renew_due() == 1
    assert lender.renewing().renew_due() == 0
    assert (lender.shown(), lender.renewing().token(MINE)) == (["refresh-0"], "access-1")


def test_a_renewal_ahead_of_time_that_is_refused_is_not_asked_for_at_every_turn(lender: Lender) -> None:
    """After a refusal the background renewal waits before it asks again."""
    lender.lend(seconds=100_000)
    pass_time(lender.redis, 95_000)
    lender.used_up.add("refresh-0")
    assert [lender.renewing().renew_due() for _ in range(3)] == [1, 0, 0]
    pass_time(lender.redis, NEXT_TRY_SECONDS + 1)
    assert lender.renewing().renew_due() == 1
    assert lender.shown() == ["refresh-0"] * 2


def test_a_refresh_token_that_is_refused_is_said_with_the_way_out(lender: Lender) -> None:
    """All that need the token send one request; the error names GHL's install page, and the request is repeated after a while."""
    lender.lend(seconds=0.001)
    lender.used_up.add("refresh-0")
    time.sleep(0.01)
    for _ in range(5):
        with pytest.raises(TokenRefused, match=r"install the app again: https://marketplace\.gohighlevel\.com/v2/oauth/"):
            lender.renewing().token(MINE)
    assert lender.shown() == ["refresh-0"]
    grant = grants_of(lender.redis).get(MINE)
    assert grant
    assert (bool(grant.refused), grant.lost) == (True, False)
    pass_time(lender.redis, REFUSAL_COUNTS_SECONDS + 1)
    with pytest.raises(TokenRefused):
        lender.renewing().token(MINE)
    assert lender.shown() == ["refresh-0"] * 2


def test_a_crash_before_the_new_tokens_are_kept_is_found_out(lender: Lender) -> None:
    """After the lease, the next process sends the refresh token again; if it was used before, the error says so."""
    lender.lend(seconds=0.001)
    grants = grants_of(lender.redis)
    grant = grants.get(MINE)
    assert grant
    assert grants.begin(MINE, version=grant.version).how == "yours"
    lender.used_up.add("refresh-0")
    # The process dies here.
    pass_time(lender.redis, LEASE_SECONDS + 1)
    with pytest.raises(TokenRefused, match="used up: a process ended"):
        lender.renewing().token(MINE)
    kept = grants.get(MINE)
    assert kept
    assert kept.lost
    assert "used up" in kept.refused


def test_a_crash_that_used_nothing_up_heals(lender: Lender) -> None:
    """If the request of the dead process never reached GHL, the next one succeeds, and nothing is reported."""
    lender.lend(seconds=0.001)
    grants = grants_of(lender.redis)
    grants.begin(MINE, version=(grants.get(MINE) or pytest.fail("gone")).version)
    pass_time(lender.redis, LEASE_SECONDS + 1)
    assert lender.renewing().token(MINE) == "access-1"
    kept = grants.get(MINE)
    assert kept
    assert (kept.lost, kept.refused) == (False, "")


def ended(lender: Lender, **lent: str) -> TokenRefresh:
    """A process that finds its token ended."""
    lender.lend(seconds=0.001, **lent)
    time.sleep(0.01)
    return lender.renewing()


def calls(lender: Lender) -> list[str]:
    return [path for path, _ in lender.asked]


TOKEN, RECONNECT = "/oauth/token", "/oauth/reconnect"


def test_a_lost_answer_is_asked_for_once_more_at_once(lender: Lender) -> None:
    """Within 30 s GHL answers the same refresh token with the same tokens, so the owner asks again, and nobody notices."""
    renewing, lender.repeats, lender.failing = ended(lender), True, [http(500, {})]
    assert renewing.token(MINE) == "access-1"
    assert lender.shown() == ["refresh-0"] * 2
    kept = grants_of(lender.redis).get(MINE)
    assert kept
    assert (kept.refresh_token, kept.lost) == ("refresh-1", False)


def test_two_lost_answers_are_a_passing_fault(lender: Lender) -> None:
    """The token may be used: that is Retryable, and the next process gets the same tokens within GHL's 30 s."""
    renewing, lender.repeats, lender.failing = ended(lender), True, [http(500, {})] * 2
    with pytest.raises(Retryable, match="could not be renewed"):
        renewing.token(MINE)
    assert lender.renewing().token(MINE) == "access-1"
    assert (lender.shown(), calls(lender)) == (["refresh-0"] * 3, [TOKEN] * 3)


def test_the_lease_ends_well_within_ghls_window() -> None:
    """The holder's requests end before its lease, and the next process is in time, however slow the first request was."""
    assert ASK_SECONDS * 2 < ALL_SECONDS < LEASE_SECONDS
    assert LEASE_SECONDS + ASK_SECONDS < 30


def test_a_lost_refresh_token_is_healed_by_one_reconnect(lender: Lender) -> None:
    """After GHL's refusal, the app's credentials get a code, and the code gets tokens: once, and without a person."""
    renewing, lender.reconnects = ended(lender), True
    lender.used_up.add("refresh-0")
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda _: renewing.token(MINE), range(10))) == {"access-1"}
    assert calls(lender) == [TOKEN, RECONNECT, TOKEN]
    assert lender.asked[1][1] == {"clientKey": APP.client_id, "clientSecret": APP.client_secret, "locationId": HERE}
    assert (lender.asked[2][1]["grant_type"], lender.asked[2][1]["code"]) == ("authorization_code", "code")
    kept = grants_of(lender.redis).get(MINE)
    assert kept
    assert (kept.refresh_token, kept.refused) == ("refresh-1", "")


def test_an_agency_is_reconnected_by_its_own_id(lender: Lender) -> None:
    """The agency's grant contains the company id for the reconnect."""
    renewing, lender.reconnects = ended(lender, kind="Company"), True
    lender.used_up.add("refresh-0")
    assert renewing.token(AGENCY) == "access-1"
    assert lender.asked[1][1]["companyId"] == COMPANY_ID


@pytest.mark.parametrize("lost", [RECONNECT, TOKEN])
def test_a_lost_answer_of_a_reconnect_is_a_passing_fault(lender: Lender, lost: str) -> None:
    """If the code or its tokens are lost on the way, the next process reconnects once more."""
    renewing, lender.reconnects = ended(lender), True
    lender.used_up.add("refresh-0")
    good = http(200, {"authorizationCode": "code"})
    lender.failing = [http(500, {})] if lost == RECONNECT else [good, http(500, {})]
    with pytest.raises(Retryable, match="could not be renewed"):
        renewing.token(MINE)
    assert lender.renewing().token(MINE) == "access-1"
    assert calls(lender)[-3:] == [TOKEN, RECONNECT, TOKEN]


def test_a_refused_reconnect_asks_for_a_person(lender: Lender) -> None:
    """All that need the token get one request; its error is that of the refresh token, and says what to do."""
    renewing = ended(lender)
    lender.used_up.add("refresh-0")
    for _ in range(5):
        with pytest.raises(TokenRefused, match="install the app again"):
            renewing.token(MINE)
    assert calls(lender) == [TOKEN, RECONNECT]


def test_without_an_answer_of_ghl_nothing_is_lost(lender: Lender) -> None:
    """If GHL can't be reached, the error is Retryable, and the grant stays certain."""
    lender.lend(seconds=0.001)
    time.sleep(0.01)
    nowhere = TokenRefresh(grants_of(lender.redis), Tokens(Wire(), "http://127.0.0.1:1", APP))
    with pytest.raises(Retryable, match="nothing was sent"):
        nowhere.token(MINE)
    grants = grants_of(lender.redis)
    begun = grants.begin(MINE, version=(grants.get(MINE) or pytest.fail("gone")).version)
    assert (begun.how, begun.lost) == ("yours", False)


def test_a_redis_that_is_away_for_a_moment_loses_no_tokens(tmp_path: Path) -> None:
    """If Redis is away when GHL has answered, the tokens are stored as soon as it is back, before anybody uses them."""
    with own_redis(tmp_path) as server, connect(server.url) as redis, opened(redis) as lender:
        lender.lend(seconds=0.001)
        time.sleep(0.01)
        lender.slow = 1.0
        with ThreadPoolExecutor(1) as pool:
            wanted = pool.submit(lender.renewing().token, MINE)
            while not lender.asked:
                time.sleep(0.01)
            server.kill()
            time.sleep(3)
            server.start()
            assert wanted.result(20) == "access-1"
        kept = grants_of(redis).get(MINE)
        assert kept
        assert (kept.access_token, kept.refresh_token) == ("access-1", "refresh-1")


def test_an_agencys_token_is_exchanged_for_each_location(lender: Lender) -> None:
    """All that need it send one request, after the agency's token was renewed if necessary; the location's token is stored."""
    lender.lend(seconds=0.001, kind="Company")
    lender.slow = 0.1
    time.sleep(0.01)
    each = [lender.renewing(), lender.renewing()]
    with ThreadPoolExecutor(20) as pool:
        tokens = list(pool.map(lambda number: each[number % 2].token(MINE, COMPANY_ID), range(20)))
    assert (set(tokens), lender.shown(), lender.shown("/oauth/locationToken")) == ({"access-2"}, ["refresh-0"], ["here"])
    assert lender.bearers == ["", "Bearer access-1"]
    there = of_location(LocationId("there"))
    assert lender.renewing().token(there, COMPANY_ID) == "access-3"
    assert lender.renewing().another(there, "access-3", COMPANY_ID) == "access-4"
    assert lender.renewing().token(AGENCY) == "access-1"


def test_an_agencys_token_that_is_called_invalid_is_renewed_once(lender: Lender) -> None:
    """The exchange is repeated with the agency's new token; any other refusal is an error of the location."""
    lender.lend(seconds=1000, kind="Company")
    lender.failing = [http(401, {"message": "Invalid token: access token is invalid"})]
    assert lender.renewing().token(MINE, COMPANY_ID) == "access-2"
    assert lender.bearers == ["Bearer access-0", "", "Bearer access-1"]
    lender.failing = [http(400, {"message": "The app is not installed in this location."})]
    there = of_location(LocationId("there"))
    for _ in range(2):
        with pytest.raises(TokenRefused, match="install the app again"):
            lender.renewing().token(there, COMPANY_ID)
    assert len(lender.bearers) == 4


def test_without_anything_to_begin_with_it_is_said(lender: Lender) -> None:
    """Without a grant, an agency, the agency's grant or an app, the operator must act, and no request is made."""
    without_app = TokenRefresh(grants_of(lender.redis), None)
    for renewing, company_id in ((lender.renewing(), ""), (lender.renewing(), "unknown"), (without_app, COMPANY_ID)):
        with pytest.raises(OperatorMustFix):
            renewing.token(MINE, company_id)
    lender.lend(seconds=0.001)
    time.sleep(0.01)
    with pytest.raises(OperatorMustFix, match="GHL_CLIENT_ID"):
        without_app.token(MINE)
    assert (lender.asked, without_app.renew_due()) == ([], 0)


def test_a_grant_that_is_replaced_meanwhile_counts(lender: Lender) -> None:
    """An install that replaces a grant during its renewal wins, whichever ends first."""
    lender.lend(seconds=0.001)
    time.sleep(0.01)
    lender.slow = 0.3
    with ThreadPoolExecutor(1) as pool:
        wanted = pool.submit(lender.renewing().token, MINE)
        while not lender.asked:
            time.sleep(0.01)
        lender.lend(seconds=1000, refresh="refresh-of-the-new-install")
        assert wanted.result(5) == "access-0"
    kept = grants_of(lender.redis).get(MINE)
    assert kept
    assert kept.refresh_token == "refresh-of-the-new-install"


def test_nothing_of_a_grant_is_readable_in_redis(lender: Lender) -> None:
    """No value in Redis contains a token or a refresh token in clear text."""
    lender.lend(seconds=0.001)
    time.sleep(0.01)
    lender.renewing().token(MINE)
    everything = repr(snapshot(lender.redis))
    assert HERE in everything
    assert not [one for one in ("access-", "refresh-", "s3cret") if one in everything]


def test_without_redis_it_is_unavailable() -> None:
    """If tokens could not be stored, GHL is not asked for any."""
    with connect("redis://127.0.0.1:1/0") as nowhere:
        renewing = TokenRefresh(grants_of(nowhere), Tokens(Wire(), "http://127.0.0.1:1", APP))
        for act in (lambda: renewing.token(MINE), lambda: renewing.another(MINE, "t"), renewing.renew_due):
            with pytest.raises(Unavailable, match="grant"):
                act()
