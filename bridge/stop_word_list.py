"""The words with which contacts opt out and in again: the default of `stop_words`.

Sources, read 2026-11-30 (words are compared as `bridge/policy/stop_words.py` says, so `opt out` is OPTOUT and OPT-OUT too):

* FCC, 47 CFR 64.1200(a)(10), in force since 2025-04-11: stop, quit, end, revoke, opt out, cancel, unsubscribe.
* Twilio, "Update to FCC's SMS Opt-Out Keywords" (2025-05-14): STOP, STOPALL, UNSUBSCRIBE, CANCEL, END, QUIT, REVOKE, OPTOUT;
  its Proxy documentation adds the French ARRET, ARRETT, ARRETE. START and UNSTOP opt in (YES too, see below).
* AWS End User Messaging, "Required opt-out keywords": ARRET, CANCEL, END, OPT-OUT, OPTOUT, QUIT, REMOVE, STOP, UNSUBSCRIBE, and
  TD (not used here: it has too many other meanings).
* Telnyx, "Advanced Opt-In/Out": STOP ALL. Infobip has no list of its own: each sender registers keywords, STOP in its example.
* Not from a carrier's list, but written by contacts: UNSUB, STOPP (German, Norwegian, Swedish), СТОП (STOP in Cyrillic letters),
  and the Spanish and Portuguese ALTO, PARAR, BAJA, FIN.

HELP and INFO are not here: GHL and the carriers answer them.
"""

from __future__ import annotations

# A location of an older version has the first eight; do not remove any of them.
STOP_WORDS = (
    *("stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "opt out"),
    *("unsub", "arret", "arrete", "arrett", "stopp", "стоп", "remove", "alto", "parar", "baja", "fin"),
)
# Opt-outs by the rules or customs of text messages, but ordinary words elsewhere.
PHONE_STOP_WORDS = frozenset({"cancel", "end", "quit", "remove", "alto", "parar", "baja", "fin"})
# Carriers treat "Yes" as an opt-in too, but it is an answer to a question far more often.
START_WORDS = frozenset({"start", "unstop"})
