"""Measures e-mail history in other projects' fixtures, which are downloaded and not copied: `python -m infra.dev.foreign_mails`.

It exits with 1 if more history remains than is allowed: in two of the 43 plain replies of crisp's parser with the same beginning,
and in none of talon's. Signatures may remain, and so may text below a phone's line, which was not marked as quoted. Paths or
other addresses of the repositories may follow the command: crisp's, then talon's.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from email import message_from_bytes, policy
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.ghl.email.own_words import own_text
from bridge.policy.device_lines import is_device_line

if TYPE_CHECKING:
    from collections.abc import Iterator

CRISP = ("https://github.com/crisp-oss/email-reply-parser", "0b3704c8744d6f57ae1d86d7eab75535c51d2f5c")
TALON = ("https://github.com/mailgun/talon", "71d9b6eb78e985bcdfbf99b69c20c001b4b818c4")
OPENING = "Fusce bibendum, quam hendrerit sagittis tempor, dui turpis"
# The last words of the text that crisp's replies have in common, and of those that talon's have.
LAST = "Fusce sed odio id arcu varius aliquet nec nec nibh."
TALONS = ("Hi. I am fine. Thanks, Alex", "Hello")
MOST_LEFT = {"crisp, plain": 2, "talon, HTML": 0, "talon, plain": 0}
SUBJECT = "Re: a reply"


def left(body: str, *own: str) -> str | None:
    """The text that remains below the sender's own, without signatures; None if not even the sender's own text remains."""
    lines = own_text(body, subject=SUBJECT).split("\n")
    signature = next((at for at, line in enumerate(lines) if re.match(r"-- ?$", line) or is_device_line(line)), len(lines))
    text = " ".join(" ".join(lines[:signature]).split())
    found = next((words for words in own if words in text), None)
    return None if found is None else text.partition(found)[2].strip()


def crisps(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Crisp's plain replies with the same beginning."""
    for path in sorted(folder.glob("test/fixtures/*.txt")):
        body = path.read_text(encoding="utf-8")
        if body.startswith(OPENING):
            yield path.name, left(body, LAST)


def talons(folder: Path, pattern: str) -> Iterator[tuple[str, str | None]]:
    """Talon's replies: only HTML, or the plain part of a mail."""
    for path in sorted(folder.glob(f"tests/fixtures/{pattern}")):
        if path.suffix == ".html":
            yield path.name, left(path.read_text(encoding="utf-8", errors="replace"), *TALONS)
        elif part := message_from_bytes(path.read_bytes(), policy=policy.default).get_body(("plain",)):
            yield path.name, left(part.get_content(), *TALONS)


def main() -> int:
    """Download both, count, and print every reply that isn't clean."""
    given, too_many = sys.argv[1:], False
    with tempfile.TemporaryDirectory() as folder:
        places = []
        for number, (address, commit) in enumerate((CRISP, TALON)):
            place = Path(folder, str(number))
            source = given[number] if number < len(given) else address
            subprocess.run(["git", "clone", "--quiet", source, str(place)], check=True)
            subprocess.run(["git", "-C", str(place), "checkout", "--quiet", commit], check=True)
            places.append(place)
        crisp, talon = places
        found = {
            "crisp, plain": list(crisps(crisp)),
            "talon, HTML": list(talons(talon, "html_replies/*.html")),
            "talon, plain": list(talons(talon, "standard_replies/*.eml")),
        }
    for kind, replies in found.items():
        unclean = [(name, rest) for name, rest in replies if rest != ""]
        print(f"{kind}\t{len(replies) - len(unclean)} of {len(replies)} clean")
        for name, rest in unclean:
            print(f"\t{name}\t{'own words are missing' if rest is None else rest}")
        too_many = too_many or not replies or len(unclean) > MOST_LEFT[kind]
    return int(too_many)


if __name__ == "__main__":
    sys.exit(main())
