"""E-mails that no person wrote."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Channel, Reason
from bridge.policy.auto_reply import judge_auto_reply
from tests.stored import message

SUBJECTS: dict[str, list[str]] = json.loads(Path(__file__).with_name("machine_subjects.json").read_text(encoding="utf-8"))


def rule(subject: str = "", sender: str = "ann@example.com", channel: Channel = Channel.EMAIL) -> str:
    skip = judge_auto_reply(message(channel=channel, subject=subject, sender=sender))
    assert skip is None or skip.reason is Reason.AUTO_REPLY
    return skip.facts.removeprefix("by the rule ") if skip else ""


@pytest.mark.parametrize(
    "subject",
    [
        "Automatic reply: Your order",
        "AutoReply: Your order",
        "Auto-Reply",
        "auto reply - back on Monday",
        "Automated response: Hi",
        "Out of Office",
        "Out of the office: Ann Lee",
        "Out of Office Re: Your order",
        "Out-of-Office until May 5",
        "OOO: Ann",
        "[EXTERNAL] Automatic reply: Your order",
        "[List] [EXT] Out of office",
        "Automatische Antwort: Ihre Bestellung",
        "Abwesenheitsnotiz",
        "Abwesenheitsnotiz: Ihre Bestellung",
        "Nicht im Büro (bis 5. Mai)",
        "Réponse automatique : Votre commande",
        "Réponse automatique\u00a0: Votre commande",
        "Message d’absence",
        "Absente du bureau jusqu'au 5 mai",
        "Respuesta automática: Su pedido",
        "RESPUESTA AUTOMÁTICA",
        "Fuera de la oficina",
        "Resposta automática: Seu pedido",
        "Ausência temporária",
        "Fora do escritório até 5 de maio",
        "Risposta automatica: Il tuo ordine",
        "Fuori sede",
        "Assente dall’ufficio",
        "Automatisch antwoord: Uw bestelling",
        "Afwezigheidsbericht",
        "Niet op kantoor tot 5 mei",
    ],
)
def test_absence_notes_are_known_by_their_subject(subject: str) -> None:
    """The subjects of mail programs are recognised, whatever their accents, case and prefixes."""
    assert rule(subject) == "absence subject"


@pytest.mark.parametrize(
    "subject",
    [
        "Undeliverable: Your order",
        "Undelivered Mail Returned to Sender",
        "Delivery Status Notification (Failure)",
        "Mail delivery failed: returning message to sender",
        "Unzustellbar: Ihre Bestellung",
        "Non remis : Votre commande",
        "Não entregue: Seu pedido",
    ],
)
def test_bounces_are_known_by_their_subject(subject: str) -> None:
    """A mail server's report about an undelivered e-mail is not a message."""
    assert rule(subject) == "bounce subject"


@pytest.mark.parametrize(
    "subject",
    [
        "",
        "Your order",
        "Out of office chairs?",
        "Do you sell out-of-office signs",
        "Re: Automatic reply: Your order",
        "AW: Abwesenheitsnotiz",
        "Automatic reply setup for my account",
        "Auto reply does not work",
        "Automatic door: a question",
        "Abwesenheit meines Sohnes",
        "Fuori sede centrale",
        "Non remise en main propre",
        "Oooh: nice",
        "My order was undeliverable",
    ],
)
def test_subjects_of_people_are_left_alone(subject: str) -> None:
    """A person's subject may contain the same words."""
    assert rule(subject) == ""


@pytest.mark.parametrize(
    "sender",
    [
        "noreply@example.com",
        "no-reply@example.com",
        "NO_REPLY@example.com",
        "no.reply@example.com",
        "no-reply+abc123@example.com",
        "noreply2@example.com",
        "billing-noreply@example.com",
        "noreply-accounts@example.com",
        "donotreply@example.com",
        "do-not-reply@example.com",
        "auto-reply@example.com",
        "autoresponder@example.com",
        "no-responder@example.com",
        "nao-responda@example.com",
        "ne-pas-repondre@example.com",
        "nicht-antworten@example.com",
        "bitte-nicht-antworten@example.com",
        "non-rispondere@example.com",
        "niet-beantwoorden@example.com",
    ],
)
def test_senders_that_take_no_answer_are_known(sender: str) -> None:
    """No-reply addresses are recognised, whatever is before and after."""
    assert rule(sender=sender) == "no-reply sender"


@pytest.mark.parametrize(
    "sender",
    [
        "mailer-daemon@example.com",
        "MAILER-DAEMON@googlemail.com",
        "postmaster@example.com",
        "bounce@example.com",
        "bounces+123-ab=example.org@example.com",
        "0100018@bounce.example.com",
        "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@example.com",
    ],
)
def test_mail_servers_are_known(sender: str) -> None:
    """Mails of a mail server are not answered."""
    assert rule(sender=sender) == "bounce sender"


@pytest.mark.parametrize(
    "sender",
    [
        "",
        "ann@example.com",
        "reply@example.com",
        "noreplyson@example.com",
        "nora.reply@example.com",
        "bouncer@example.com",
        "ann@noreply-fan.com",
        "trampoline-bounces@example.com",
        "daemon@example.com",
        "autoreplica@example.com",
    ],
)
def test_senders_who_are_people_are_left_alone(sender: str) -> None:
    """An address that only resembles one is a person's."""
    assert rule(sender=sender) == ""


@pytest.mark.parametrize(("name", "subject"), [(name, subject) for name, subjects in SUBJECTS.items() for subject in subjects])
def test_machines_are_known_by_their_subject_in_many_languages(name: str, subject: str) -> None:
    """Absence notes, meeting answers, receipts, delivery notes and tickets are told from people's subjects in many languages."""
    assert rule(subject) == name


@pytest.mark.parametrize("channel", [channel for channel in Channel if channel is not Channel.EMAIL])
def test_only_emails_are_judged(channel: Channel) -> None:
    """Other channels have neither subjects nor such senders."""
    assert rule("Automatic reply: hi", "noreply@example.com", channel) == ""


@given(st.text(), st.text())
def test_any_subject_and_sender_can_be_judged(subject: str, sender: str) -> None:
    """Any content gives a result without an error, and the facts contain none of it."""
    assert rule(subject, sender) in {*SUBJECTS, "no-reply sender", "bounce sender"}


@pytest.mark.parametrize(
    "text", ["[a]" * 300, "[" * 1000, "auto-" * 200, "no-" * 200 + "reply", "a-" * 500, "warning: " * 99, "[#1] " * 200]
)
def test_judging_is_quick(text: str) -> None:
    """It is quick for any subject and sender of the stored length."""
    begin = time.process_time()
    rule(text, text)
    assert time.process_time() - begin < 0.05
