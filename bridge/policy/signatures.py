"""What stands below a short message and says nothing: a telephone's line, a closing, a name behind dashes."""

from __future__ import annotations

import re

from bridge.policy.normalise import plain

# A stop word stands at the very top: what is further down is not looked at.
_MOST_CHARACTERS = 2_000
_MOST_LINE = 80
_MOST_WORDS = 8
_MOST_LINES_OF_A_SIGNATURE = 6

_DELIMITER = re.compile(r"\s*(?:--|—|__+|~~+|-{3,}|={3,}|\*{3,})\s*")
_NAME = re.compile(r"\s*(?:--?|–|—|~|\^)\s*[^\W\d_][\w.'’-]*(?:\s+[\w.'’-]+){0,2}\s*~?\s*")
# Names of devices and of mail programs are the same in every language, inflected or not (Finnish: iPhonesta).
_DEVICE = re.compile(
    r"iphone|ipad|ipod|apple\s?watch|android|samsung|galaxy|huawei|xiaomi|redmi|oneplus|motorola|nokia|google pixel|black\s?berry"
    r"|windows phone|outlook|yahoo|gmail|proton\s?mail|mail for windows|gmx|web\.de|aol|airmail|bluemail|smartphone",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"^sent|^get\b|gesendet|holen|envoy|obtenir|obtenez|télécharge|enviad|enviado|obt[eé]n|inviat|ottieni|verzonden|verstuurd|download"
    r"|skickat|hämta|sendt|lähet|hanki|wysłan|pobierz|odesl|odosl|trimis|küldve|elküldve|gönder|отправлен|надіслан|изпратен|发自|發自"
    r"|傳送|から送信|보냄|보낸|نشط|أرسل|נשלח|στάλθηκε",
    re.IGNORECASE,
)
_CLOSINGS = frozenset(
    plain(closing)
    for closing in (
        *("regards", "best", "best regards", "kind regards", "warm regards", "many thanks", "thanks", "thank you"),
        *("cheers", "sincerely", "yours sincerely", "best wishes", "all the best", "thx", "danke", "grüße", "viele grüße"),
        *("beste grüße", "lg", "vg", "mfg", "mit freundlichen grüßen", "freundliche grüße", "liebe grüße", "cordialement"),
        *("bien à vous", "merci", "salutations", "saludos", "un saludo", "saludos cordiales", "atentamente", "gracias"),
        *("atenciosamente", "obrigado", "obrigada", "abraços", "cordiali saluti", "saluti", "grazie"),
        *("met vriendelijke groet", "groeten", "mvg", "hälsningar", "med vänliga hälsningar", "med venlig hilsen", "mvh"),
        *("hilsen", "vennlig hilsen", "terveisin", "pozdrawiam", "s pozdravem", "с уважением", "з повагою"),
    )
)


def without_signature(text: str) -> str:
    """The text without what is a signature below its first line; of a long text only the beginning is looked at."""
    lines = text[:_MOST_CHARACTERS].strip().split("\n")
    kept = lines[:1]
    for index, line in enumerate(lines[1:], start=1):
        if _begins_signature(line, lines[index + 1 :]):
            break
        if line.strip() and not _is_of_a_device(line, apart=not lines[index - 1].strip()) and not _NAME.fullmatch(line):
            kept.append(line)
    return "\n".join(kept)


def _begins_signature(line: str, below: list[str]) -> bool:
    if _DELIMITER.fullmatch(line):
        return True
    if len(line) > _MOST_LINE or plain(line) not in _CLOSINGS:
        return False
    named = [each for each in below if each.strip()]
    return len(named) <= _MOST_LINES_OF_A_SIGNATURE and not any("?" in each or len(each) > _MOST_LINE for each in named)


def _is_of_a_device(line: str, *, apart: bool) -> bool:
    """`Sent from my iPhone`. A line that stands apart, as telephones write it, needs no known word for "sent"."""
    if len(line) > _MOST_LINE or len(line.split()) > _MOST_WORDS or "?" in line or not _DEVICE.search(line):
        return False
    return apart or bool(_SENT.search(line.strip()))
