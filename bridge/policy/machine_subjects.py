"""The subjects that mail programs, servers and ticket systems write by themselves, a language a line.

Sources: the fixed prefixes of Outlook and Exchange, Gmail's and Google Calendar's, Zendesk's and Freshdesk's defaults, and those
of the mail servers Postfix, Exim and sendmail (2026-11). Left out is what a person's subject may well begin with: German
"Rückruf:" and Italian "Richiama:" (call me back), French "Rappel :" (reminder), "Canceled:" (an appointment), "Delivered:" (a
parcel), "On vacation".
"""

from __future__ import annotations

# Absence notes. What may follow: nothing, a colon or another sign, the original's subject, a date.
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
    "automatisch antwoord|automatische beantwoording|afwezigheids(?:bericht|melding|assistent)|niet op kantoor|afwezig",
    "autosvar|automatiskt svar|franvaromeddelande|franvarande|inte pa kontoret|ej pa kontoret|semestermeddelande",
    "automatisk svar|autosvar|fraværs(?:besked|melding)|ikke pa kontoret|ikke til stede|ikke på kontoret",
    "automaattinen (?:vastaus|poissaoloviesti)|automaattivastaus|poissa(?:oloviesti|oloilmoitus| toimistolta)|lomavastaus",
    "automatyczna odpowiedź|autoodpowiedź|odpowiedź automatyczna|poza biurem|nieobecność w biurze|wiadomość o nieobecności",
    "automatická odpověď|mimo kancelář|nepřítomnost|jsem mimo kancelář|oznámení o nepřítomnosti",
    "automatikus válasz|házon kívül|irodán kívül",
    "răspuns automat|raspuns automat|în afara biroului|absent din birou|plecat din birou",
    "автоматический ответ|автоответ|автоответчик|нет на месте|вне офиса|нет в офисе",
    "otomatik yanıt|otomatik cevap|ofis dışında|ofis dışındayım|iş yerinde değilim",
    "自動応答|自動返信|不在通知|不在のお知らせ|不在連絡",
    "自动答复|自动回复|自動回覆|自動回复|自動答覆|外出自动回复|不在办公室|不在辦公室|休假自动回复",
    "자동 회신|자동 응답|부재 중|부재중|자동회신|자동응답",
    "תשובה אוטומטית|מענה אוטומטי|מחוץ למשרד|הודעת היעדרות",
    "رد تلقائي|الرد التلقائي|خارج المكتب|استجابة تلقائية",
    "αυτόματη απάντηση|εκτός γραφείου|απουσία από το γραφείο",
)

# What a mail server says about a mail that did not arrive, or not yet, or arrived.
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
    "olevererbart|gick inte att leverera|kan inte levereras|leverans fordrojd",
    "kan ikke leveres|uleverbar|levering mislykkedes|levering forsinket",
    "ei voitu toimittaa|toimitus epaonnistui",
    "niedostarczone|nie można dostarczyć|niedostarczalne",
    "nedoručitelné",
    "kézbesíthetetlen|nem kézbesíthető",
    "nelivrabil|nu se poate livra",
    "недоставленное сообщение|не удается доставить|не удалось доставить",
    "teslim edilemedi|teslim edilemeyen",
    "配信不能|配信不可|配信できませんでした|未配信",
    "无法送达|無法傳遞|無法送達|未传递|邮件退回|系统退信",
    "배달되지 않음|배달할 수 없음|전송 실패|반송 메일",
    "לא ניתן למסירה",
    "لم يتم التسليم|غير قابل للتسليم|تعذر التسليم",
    "αδύνατη η παράδοση",
)

# Answers to a meeting, receipts, recalls: always a colon behind, and the original's subject.
PREFIXES = (
    "accepted|declined|tentative(?:ly accepted)?|read|not read|recall|relayed|new time proposed|read receipt|updated invitation",
    "zugesagt|angenommen|abgelehnt|(?:mit vorbehalt|vorlaufig) (?:zugesagt|angenommen)|mit vorbehalt|gelesen|ungelesen",
    "accepte|refuse|decline|(?:accepte )?provisoire(?:ment)?|lu|non lu",
    "acepta(?:da|do)|rechaza(?:da|do)|provisional|aceptado provisionalmente|leido|no leido",
    "aceit[eo]|recusad[oa]|rejeitad[oa]|provisori[oa]|lid[oa]|nao lid[oa]",
    "accettat[oa]|rifiutat[oa]|provvisori[oa]|letto|non letto",
    "geaccepteerd|geweigerd|afgewezen|voorlopig(?: geaccepteerd)?|gelezen|niet gelezen|intrekken",
    "accepterat|accepterad|avbojt|avbojd|preliminart(?: accepterat)?|last|olast|aterkallat?",
    "accepteret|afvist|afslaet|forelobigt?|læst|ulæst|tilbagekald|foreløbigt?(?: accepteret)?",
    "godtatt|akseptert|godkjent|avslatt|avslått|foreløpig(?: godtatt)?|lest|ulest|tilbakekall",
    "hyväksytty|hylätty|alustavasti hyväksytty|alustava|luettu|lukematta",
    "zaakceptowan[oey]|odrzucon[oey]|wstępnie zaakceptowan[oey]|wstępnie|przeczytan[oe]|nieprzeczytan[oe]",
    "přijat[oaé]|odmítnut[oaé]|nezávazně(?: přijato)?|přečten[oaé]|nepřečten[oaé]",
    "elfogadva|elfogadott|elutasítva|elutasított|feltételesen elfogadva|feltételes|elolvasva|olvasott|olvasatlan",
    "acceptat[ăa]?|refuzat[ăa]?|provizoriu|citit|necitit",
    "принято|отклонено|под вопросом|предварительно принято|прочитано|прочтено|не прочитано",
    "kabul edildi|reddedildi|geçici(?: kabul)?|okundu|okunmadı",
    "承諾|承諾済み|辞退|辞退済み|仮承諾|仮の予定|開封済み|未開封",
    "已接受|接受|已拒绝|谢绝|拒绝|已拒絕|暂定|暫定|暂时接受|已读|已讀|未读|未讀",
    "수락|수락됨|거절|거절됨|거부됨|미정|잠정 수락|읽음|읽지 않음",
    "התקבל|התקבלה|אושר|נדחה|נדחתה|טנטטיבי|נקרא|לא נקרא",
    "مقبول|تم القبول|قبول|مرفوض|تم الرفض|رفض|مبدئي|مقروءة|تمت القراءة|قراءة|غير مقروءة",
    "αποδεκτό|έγινε αποδοχή|αποδοχή|απορρίφθηκε|απόρριψη|με επιφύλαξη|διαβάστηκε|αναγνώστηκε|μη αναγνωσμένο",
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
    "laskvitto|kvittens vid last",
    "læsekvittering|kvittering for læsning|lesebekreftelse",
    "lukukuittaus|potwierdzenie przeczytania|potvrzení o přečtení|olvasási visszaigazolás|confirmare de citire",
    "уведомление о прочтении|okundu bilgisi|開封確認|已读回执|讀取回條|읽음 확인|אישור קריאה|إيصال قراءة|αποδεικτικό ανάγνωσης",
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
    "(?:arende|forfragan|begaran) (?:mottag\\w+|skapa\\w+)|vi har tagit emot (?:ditt|din) \\w+",
    (
        "(?:anmodning|henvendelse|foresporgsel|forespørgsel|forespørsel|sak) (?:er )?(?:modtaget|mottatt|oprettet|opprettet)"
        "|vi har (?:modtaget|mottatt) din \\w+"
    ),
    "(?:pyyntö|yhteydenotto|palvelupyyntö) vastaanotettu|olemme vastaanottaneet (?:pyyntösi|viestisi)",
    "otrzyma(?:no|liśmy) (?:prośbę|zgłoszenie|twoje zgłoszenie|twoją prośbę)|zgłoszenie (?:otrzymane|przyjęte)",
    "(?:žádost|požadavek) (?:přijata|přijat|obdržen\\w*)|přijali jsme (?:vaši žádost|váš požadavek)",
    "(?:kérelem|kérés|megkeresés\\w*) (?:megérkezett|fogadva)|megkaptuk (?:kérését|üzenetét)",
    "cerere(?:a)? (?:primită|a fost primită)|am primit (?:solicitarea|cererea|mesajul)",
    "(?:запрос|обращение|заявка) (?:получена?о?|принята?о?|создана?о?|зарегистрирована?о?)|мы получили ваш\\w* \\w+",
    "talep alındı|talebiniz (?:alındı|alınmıştır)|talebinizi aldık",
    "リクエスト(?:を)?受(?:領|け付け|信)\\w*|お問い合わせを受け付けました|お問い合わせありがとうございます",
    "已收到请求|收到请求|请求已收到|已收到您的\\w+|我们已收到\\w+|已收到要求|已收到請求",
    "요청(?:이)? (?:접수됨|접수되었습니다|수신됨)|문의가 접수되었습니다",
    "הבקשה התקבלה|בקשתך התקבלה|פנייתך התקבלה",
    "تم استلام (?:الطلب|طلبك|رسالتك)",
    "το αίτημα ελήφθη|λάβαμε το αίτημά σας|ελήφθη αίτημα",
)
