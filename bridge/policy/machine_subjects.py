"""The subjects that mail programs, servers and ticket systems write by themselves, one language per line.

Of English, German, French, Spanish, Portuguese, Italian and Dutch: the fixed prefixes of Outlook and Exchange, Gmail's and Google
Calendar's, Zendesk's and Freshdesk's defaults, and those of the mail servers Postfix, Exim and sendmail (2026-11). Of all other
languages only documented ones: answers to a meeting and receipts in Thunderbird (https://github.com/thunderbird/thunderbird-l10n,
2026-08-22), absence notes and delivery notes in the code and tests of other mail classifiers (2026-11-30).

Omitted are subjects that a person may write: German "Rückruf:" and Italian "Richiama:" (call me back), French "Rappel :"
(reminder), "Canceled:" (an appointment), "Delivered:" (a parcel), "On vacation"; and of Thunderbird's "Da confermare:",
"Tentativa:", "Proposée :" and the Arabic "before:".
"""

from __future__ import annotations

# Absence notes. Nothing may follow, or a colon or another sign, the original's subject, or a date.
ABSENCE = (
    (
        "auto(?:mat(?:ic|ed))? (?:reply|response)|autoreply|autoresponse|out of (?:the )?office|ooo|away from (?:the|my) office"
        "|(?:i am|i'm|we are) (?:currently )?(?:out of (?:the )?office|away from (?:the|my) office)"
        "|(?:vacation|holiday|absence) (?:reply|response|notice|autoreply|auto reply)"
    ),
    (
        "automatische (?:antwort|nachricht|abwesenheitsnotiz)|abwesenheits(?:notiz|nachricht|meldung|assistent)|nicht im buro"
        "|abwesend|urlaubs(?:notiz|benachrichtigung|meldung)|ich bin (?:derzeit |zurzeit )?nicht im buro"
    ),
    "(?:reponse|message) automatique|(?:message|notification|avis) d'absence|absen(?:ce|te?) du bureau",
    "respuesta automatica|fuera de (?:la )?oficina|ausente de la oficina|mensaje de ausencia|respuesta de vacaciones",
    "resposta automatica|(?:fora|ausente) do escritorio|ausencia temporaria|mensagem de ausencia|resposta de ferias",
    "risposta automatica|fuori (?:sede|ufficio)|assen(?:te|za) dall'ufficio|messaggio di assenza",
    (
        "automatisch antwoord|automatische beantwoording|afwezigheids(?:bericht|melding|assistent)|afwezig"
        "|(?:niet op|buiten) kantoor"
    ),
    "automatiskt svar|autosvar|frånvaromeddelande|frånvarande",
    "automatisk svar|fraværende",
    "automaattinen vastaus|poissa(?: toimistolta)?",
    "odpowiedź automatyczna|automatyczna odpowiedź|poza biurem",
    "automatická odpověď|(?:jsem )?mimo kancelář",
    "automatikus válasz",
    "răspuns automat",
    "samodejni odgovor",
    "автоматический ответ|автоответ",
    "автоматична відповідь",
    "otomatik yanıt",
    "自動応答|不在通知",
    "自动答复|自动回复|自動回覆",
    "자동 회신",
    "balasan otomatis",
    "trả lời tự động",
    "ตอบกลับอัตโนมัติ",
    "स्वचालित उत्तर",
    "תשובה אוטומטית|מחוץ למשרד",
    "رد تلقائي|خارج المكتب",
    "αυτόματη απάντηση",
)

# A mail server's reports about a mail that was delayed, delivered, or not delivered.
DELIVERY = (
    (
        "undeliverable|undelivered mail returned to sender|delivery status notification|mail delivery (?:failed|failure|system)"
        "|delivery (?:failure|delayed|incomplete|notification|report)|failure notice|returned mail|message you sent blocked by .*"
        "|warning: .{0,60}(?:delayed|could not send|could not be delivered|not yet been delivered).*|delayed mail"
        "|message (?:delivery has been )?delayed|your message could ?n[o']t be delivered.*"
    ),
    (
        "unzustellbar|zustellung (?:verzogert|fehlgeschlagen)"
        "|nachricht nicht zustellbar|verzogerte zustellung|zustellbenachrichtigung"
    ),
    "non remis|echec de la remise|echec de remise|non distribuable|remise retardee",
    "no se puede entregar|entrega retrasada|error de entrega",
    "nao entregue|nao e possivel entregar|falha na entrega|entrega atrasada",
    "recapito non riuscito|mancato recapito|non recapitabile|recapito ritardato",
    "onbestelbaar|bezorging (?:mislukt|vertraagd)",
    "olevererbart",
    "kan ikke leveres",
    "ei voitu toimittaa",
    "nie można dostarczyć",
    "nedoručitelné|zprávu nelze doručit",
    "kézbesíthetetlen",
    "недоставленное сообщение|не удается доставить",
    "配信不能",
    "无法送达|未送达|系统退信|退信通知",
    "배달되지 않음",
    "לא ניתן למסירה",
)

# Answers to a meeting, receipts, recalls: always followed by a colon and the original's subject.
PREFIXES = (
    (
        "accepted|(?:invitation )?declined|tentative(?:ly accepted)?|read|not read"
        "|recall|relayed|new time proposed|read receipt|updated invitation"
    ),
    (
        "zugesagt|angenommen|abgelehnt|(?:mit vorbehalt|vorlaufig)(?: (?:zugesagt|angenommen))?"
        "|akzeptiert|einladung abgelehnt|gelesen|ungelesen"
    ),
    "acceptee?|(?:invitation )?refusee?|decline|(?:accepte )?provisoire(?:ment)?|lu|non lu",
    "acepta(?:da|do)|invitacion declinada|rechaza(?:da|do)|provisional|aceptado provisionalmente|leido|no leido",
    "aceit[eo]|convite recusado|recusad[oa]|rejeitad[oa]|provisori[oa]|lid[oa]|nao lid[oa]",
    "accettat[oa]|invito rifiutato|rifiutat[oa]|provvisori[oa]|letto|non letto",
    "geaccepteerd|uitnodiging geweigerd|geweigerd|afgewezen|voorlopig(?: geaccepteerd)?|gelezen|niet gelezen|intrekken",
    "accepterat|accepterad|avböjt|inbjudan avvisades|preliminär",
    "accepteret|invitation afvist|foreløbig",
    "akseptert|invitasjon avvist|med forbehold",
    "hyväksytty|kutsu hylätty|hyväksytty alustavasti",
    "przyjęto|odrzucono zaproszenie|wstępnie",
    "přijato|pozvánka odmítnuta|předběžně",
    "elfogadva|meghívó visszautasítva|feltételes",
    "acceptată|invitație refuzată|provizoriu",
    "принято|приглашение отклонено|ориентировочно принято",
    "kabul edildi|davet reddedildi|belirsiz",
    "承諾|参加辞退|仮承諾",
    "已接受|拒绝邀请|已拒絕邀請|暂定|暫定",
    "승낙됨|초대 거절됨|미정",
    "رفضت الدعوة|قبل مبدئيا",
    "αποδέχτηκε|η πρόσκληση απορρίφθηκε|αβέβαιος",
)

# Receipts that come without the original's subject, and the reports of a recall.
REPORTS = (
    (
        "return receipt|read receipt"
        "|disposition notification|message recall (?:report|success|failure)|recall (?:success|failure|report)"
        "|delivery receipt"
    ),
    "lesebestatigung|empfangsbestatigung \\(angezeigt\\)|ubermittlungsbestatigung",
    "confirmation de lecture|accuse de (?:lecture|reception)",
    "confirmacion de lectura|acuse de (?:lectura|recibo)",
    "confirmacao de leitura|recibo de leitura|aviso de leitura",
    "conferma di lettura|ricevuta di (?:ritorno|lettura)",
    "leesbevestiging|ontvangstbevestiging \\(weergegeven\\)",
    "mottagningskvitto \\(visat\\)|kvittering \\(vist\\)|vastaanottokuittaus \\(naytetty\\)",
    "potwierdzenie doręczenia wiadomości \\(wyświetlono\\)|potvrzení o přečtení \\(zobrazeno\\)|tértivevény \\(megjelenítve\\)",
    "confirmare de primire \\(afișat\\)|уведомление о прочтении \\(сообщение отображено\\)|alındı onayı \\(görüntülendi\\)",
    "回执\\(已显示\\)|收件回執\\(已顯示\\)|수신 확인 \\(표시됨\\)",
    "קבלה חוזרת \\(הוצגה\\)|إعلام وصول \\(عرضت\\)|αποδεικτικό προβολής \\(προβλήθηκε\\)",
)

# Ticket systems; in brackets as Zendesk writes it, or before a number.
RECEIVED = (
    (
        "(?:request|ticket|case|enquiry|inquiry) (?:received|created|opened)|we(?:'ve| have)? received your"
        " (?:request|message|e ?mail|enquiry|inquiry|ticket)"
        "|your (?:request|ticket|case|enquiry|inquiry)(?: [(\\[#]{1,2}\\w{1,20}[)\\]]?)? (?:has been|was) (?:received|created)"
    ),
    (
        "(?:anfrage|ticket) (?:erhalten|eingegangen|erstellt)|ihre (?:anfrage|nachricht) (?:ist eingegangen|wurde empfangen)"
        "|wir haben ihre (?:anfrage|nachricht|e ?mail) erhalten"
    ),
    (
        "(?:demande|ticket) (?:recue?|creee?)"
        "|nous avons (?:bien )?recu votre (?:demande|message)|votre demande a (?:bien )?ete recue"
    ),
    "(?:solicitud|ticket|consulta) (?:recibid[oa]|cread[oa])|hemos recibido (?:tu|su) (?:solicitud|mensaje|consulta)",
    "(?:solicitacao|pedido|ticket) (?:recebid[oa]|criad[oa])|recebemos (?:a )?sua (?:solicitacao|mensagem)",
    "(?:richiesta|ticket) (?:ricevut[oa]|creat[oa])|abbiamo ricevuto la (?:tua|sua) richiesta",
    "(?:verzoek|ticket|aanvraag) (?:ontvangen|aangemaakt)|we hebben (?:je|uw) (?:verzoek|bericht|aanvraag) ontvangen",
)
