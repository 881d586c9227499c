"""The words that mail programs write above quoted history: labels of a header block, titles between dashes, verbs of writing.

They only confirm what the form of the lines shows (see `history`), so most history is found in unknown languages too.
"""

from __future__ import annotations

import re

FROM, SENT, TO, SUBJECT = "from", "sent", "to", "subject"

# Labels of Outlook, Apple Mail, Thunderbird and Samsung: en de fr es pt it nl sv da no fi pl cs sk hu ro ru uk bg tr el he
# ar ja zh ko vi id.
_LABELS = {
    FROM: (
        "from|von|de|da|van|från|fra|lähettäjä|od|feladó|de la|от|від|kimden|gönderen|από|מאת|من|差出人|送信者|发件人"
        "|寄件者|寄件人"
        "|보낸 사람|보낸사람|từ|dari|expéditeur|remitente|mittente|remetente|absender|afzender|avsändare|nadawca"
        "|odesílatel|отправитель"
    ),
    SENT: (
        "sent|date|gesendet|datum|envoyé|envoyé le|date d'envoi|enviado|enviado el|enviado em|enviada em|enviada|fecha"
        "|data|inviato"
        "|data invio|verzonden|skickat|dato|sendt|lähetetty|päivämäärä|päiväys|pvm|wysłano|wysłane|data wysłania|odesláno"
        "|odoslané"
        "|dátum|elküldve|küldve|trimis|trimis la|dată|отправлено|дата|надіслано|дата отправки|изпратено|gönderme tarihi"
        "|gönderildi"
        "|tarih|στάλθηκε|ημερομηνία|εστάλη|נשלח|תאריך|تاريخ الإرسال|التاريخ|تم الإرسال|送信日時|日付|日時|送信日|发送时间"
        "|日期|发送日期"
        "|寄件日期|寄件時間|傳送時間|보낸 날짜|날짜|보낸날짜|đã gửi|ngày|dikirim|tanggal|message du"
    ),
    TO: (
        "to|an|à|a|para|aan|till|til|vastaanottaja|do|komu|címzett|către|кому|до|kime|alıcı|προς|אל|إلى|宛先|收件人"
        "|收件者|받는 사람"
        "|받는사람|đến|kepada|destinataire|destinatario|empfänger|ontvanger|mottagare|adresat|cc|kopie|copie à|copia"
    ),
    SUBJECT: (
        "subject|betreff|objet|sujet|asunto|assunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|predmet|tárgy|subiect"
        "|тема|относно"
        "|konu|θέμα|נושא|الموضوع|件名|主题|主旨|主題|제목|chủ đề|subjek|perihal"
    ),
}
KIND_OF_LABEL = {label: kind for kind, labels in _LABELS.items() for label in labels.split("|")}

# The titles between dashes above an original or a forwarded message.
TITLE = re.compile(
    r"(?:original|forwarded|reply) (?:message|e-?mail)|(?:ursprüngliche|weitergeleitete|antwort) nachricht"
    r"|original-?nachricht"
    r"|message (?:d['’]origine|original|transféré|réexpédié|initial)|mensaje (?:original|reenviado)"
    r"|mensagem (?:original|encaminhada)"
    r"|messaggio (?:originale|inoltrato)|(?:oorspronkelijk|doorgestuurd) bericht|original ?meddelande"
    r"|ursprungligt meddelande"
    r"|vidarebefordrat meddelande|(?:oprindelig|videresendt) (?:meddelelse|besked)"
    r"|(?:opprinnelig|videresendt) (?:melding|e-post)"
    r"|alkuperäinen viesti|välitetty viesti|oryginalna wiadomość|wiadomość oryginalna|původní (?:zpráva|e-mail)"
    r"|pôvodná správa"
    r"|eredeti üzenet|mesaj(?:ul)? (?:original|inițial)|исходное сообщение|пересылаемое сообщение"
    r"|оригінальне повідомлення"
    r"|(?:orijinal|özgün) (?:mesaj|ileti)|αρχικό μήνυμα|הודעה מקורית|الرسالة الأصلية|元のメッセージ|原始邮件|原始郵件"
    r"|原郵件"
    r"|원본 메(?:시지|일)|tin nhắn gốc|pesan asli",
    re.IGNORECASE,
)

# The verb in the line above a quote: at its end, or before the name.
WROTE = re.compile(
    r"(?<!\w)(?:wrote|writes|schrieb|schreef|geschreven|a écrit|escribió|escreveu|ha scritto|skrev|kirjoitti|napisał(?:\(a\)|a)?"
    r"|napsal(?:\(a\)|a)?|napísal(?:\(a\)|a)?|(?:ezt )?írta|a scris|написала?|пишет|писал|пише|yazdı|έγραψε|כתב/?ה?"
    r"|كتب|menulis"
    r"|đã viết)(?!\w)|写道|寫道|님이 작성|のメール|さんは書きました",
    re.IGNORECASE,
)
