#!/usr/bin/env bash
# A contact writes by WhatsApp; the sender's id is a phone number in international form. The same person stands in the CRM with the number as dialled.
# What one would expect: phonenumbers (Google's libphonenumber) takes the id for a valid number, or at least for the number it belongs to: a filter for
# wrong numbers lets it through, and `is_number_match` finds the contact.
# What happens: Mexican ids still have the 1 that Mexico's numbers lost in 2019, and many Brazilian ones lack the 9 that mobile numbers got.
# phonenumbers takes the Mexican id for "not even possible" and the Brazilian one for "possible, not valid", of no type. `is_number_match` says SHORT_NSN_MATCH,
# the weakest, for the Mexican pair and NO_MATCH for the Brazilian one. Argentina's 9 looks alike and is valid on both sides. A filter by `is_valid_number`
# thus drops people that write, and a search by the formatted number doesn't find them.
# Versions: phonenumbers 9.0.43; the numbers are made up. Seen 2026-11-30. Source for the ids: Gupshup's and Zoho's help pages on "inconsistencies for
# mobile numbers and their WhatsApp IDs in Brazil (digit 9) and Mexico (digit 1)".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "phonenumbers==9.0.43"
"$work/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import phonenumbers
from phonenumbers import MatchType

print("phonenumbers", version("phonenumbers"))
# Country: dialled number, WhatsApp's id, whether the id is possible and valid, and how well the two match.
PEOPLE = {
    "Mexico": ("+525512345678", "+5215512345678", (False, False), MatchType.SHORT_NSN_MATCH),
    "Brazil": ("+5531988887777", "+553188887777", (True, False), MatchType.NO_MATCH),
    "Argentina": ("+541123456789", "+5491123456789", (True, True), MatchType.SHORT_NSN_MATCH),
}
for country, (dialled, whatsapp, expected, match) in PEOPLE.items():
    assert phonenumbers.is_valid_number(phonenumbers.parse(dialled)), "the dialled number is no longer valid"
    number = phonenumbers.parse(whatsapp)
    seen = (phonenumbers.is_possible_number(number), phonenumbers.is_valid_number(number))
    matched = phonenumbers.is_number_match(dialled, whatsapp)
    print(f"{country}: {whatsapp} possible, valid: {seen}; match with {dialled}: {MatchType.to_string(matched)}")
    assert (seen, matched) == (expected, match), "phonenumbers behaves otherwise now"
PYTHON
