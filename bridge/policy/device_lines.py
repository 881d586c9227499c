"""The line that a phone or a mail app adds below a text, such as "Sent from my iPhone", in many languages."""

from __future__ import annotations

import re

_DEVICE = (
    r"(?:i-?phone|iphon\w*|i-?pad|i-?pod|i-?mac|macbook|apple watch|ios|android|samsung|galaxy|huawei|honor|xiaomi|redmi|poco"
    r"|oneplus|oppo|vivo"
    r"|realme|pixel|motorola|moto|nokia|sony|xperia|lg|htc|asus|lenovo|fairphone|wiko|zte|blackberry|windows|outlook"
    r"|yahoo|gmail|gmx"
    r"|web\.de|t-online|aol|mail\.ru|icloud|proton ?mail|proton|tuta(?:nota)?|fastmail|spark|airmail|bluemail|typeapp"
    r"|nine|k-9|mailbird"
    r"|thunderbird|e ?m client|workspace|verizon|t-mobile|at&t|smart-?phones?|mobile|mobil\w*|móvil|móbil\w*|celular"
    r"|cellulare"
    r"|telefon\w*|telefoon|téléphone|teléfono|telemóvel|handy|tablet\w*|puhelin\w*|phone|айфон\w*|смартфон\w*"
    r"|телефон\w*|почты"
    r"|аndroid|אייפון|טלפון|आईफोन|آيفون|הנייד|スマートフォン|携帯|手机|手機|스마트폰|휴대폰)"
)
# Words before the device's name, or in some languages after it.
_BEFORE = (
    r"sent (?:from|via|with|using|by)|get|gesendet|von mein\w+|diese nachricht wurde von|verschickt von|outlook für"
    r"|envoyé(?:e)?|télécharge[rz]|obtenir|provenance :|enviad[oa]|mensaje enviado|obtener|obtenga|descargar|obter"
    r"|obtenha|baixar"
    r"|inviat[oa]|scarica|ottieni|verstuurd|verzonden|download|outlook voor|skickat|skickades|hämta|sendt|hent|skaff deg"
    r"|lähetetty|hanki|wysł\w+|pobierz|odesláno|odoslané|získat|elküldve|küldve|az|trimis|descărcați|obțineți"
    r"|отправлено|скачать|надіслано|відправлено|изпратено|στάλθηκε|εστάλη|αποστολή|λήψη|נשלח\w*|קבל|הורד"
    r"|أ?ُ?رسلت|مرسلة?|تم الإرسال|تنزيل|发自|發自|从|從|來自|来自|获取|取得|私の|나의|내|gönderildi"
)
_AFTER = (
    r"gesendet\.?|verschickt|herunterladen|beziehen|versendet|gönderildi|indirin|edinin|küldve|küldtem|送信|を入手"
    r"|から送信(?:されました)?"
    r"|发送|發送|傳送|传送|보냄|에서 보냄|에서 보낸 메일|다운로드|downloaden|ophalen|\w{0,2} letöltése|verstuurd"
    r"|verzonden|sent"
)
_LINK = r"(?:\s?[<(\[]?https?://[^\s<>]{1,200}[>)\]]?)?"
# At most three words around the name, and no comma or colon: "Sent from my iPhone, which broke: ..." is a sentence.
_FEW = r"[^\n.,;:!?]{0,40}"
_WITH_VERB_FIRST = rf"(?:{_BEFORE})(?!\w){_FEW}?(?<![a-z]){_DEVICE}{_FEW}"
_IN_CJK = rf"(?:发自|發自|从|從|來自|来自|获取|取得|私の|나의|내){_FEW}?{_DEVICE}{_FEW}"
_WITH_VERB_LAST = rf"{_FEW}?(?<![a-z]){_DEVICE}{_FEW}?(?:{_AFTER})"
_ANY_DEVICE = r"sent from my [\w+&'’ -]{2,30}|sent via the samsung galaxy[\w +&,-]{0,50} smartphone"
_DEVICE_LINE = re.compile(
    rf"[-–—\s]*(?:{_WITH_VERB_FIRST}|{_IN_CJK}|{_WITH_VERB_LAST}|{_ANY_DEVICE})(?: secure email)?\.?{_LINK}\W*", re.IGNORECASE
)
_LONGEST = 120
_MOST_WORDS = 11


def is_device_line(line: str) -> bool:
    """Whether a whole line was added by a device or an app. Lines with more than a few words are a person's."""
    return len(line) <= _LONGEST + 200 and len(line.split()) <= _MOST_WORDS and _DEVICE_LINE.fullmatch(line) is not None
