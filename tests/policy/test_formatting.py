"""The format of an answer: from Markdown to plain text and to e-mail, within each channel's limits."""

from __future__ import annotations

import re
import time
from collections import Counter
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Channel
from bridge.policy.formatting import carried_as, shape
from bridge.policy.formatting.limits import LIMITS
from tests.stored import message

MANY = 100
TEXTING = tuple(LIMITS)


def say(text: str, channel: Channel = Channel.FB) -> str:
    shaped = shape(text, channel, sms_max_segments=MANY)
    assert len(shaped.parts) <= 1
    return "".join(shaped.parts)


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("**Bold**, *it*, _al_, ***both*** and `code`", "Bold, it, al, both and code"),
        ("# Title\nText", "Title\nText"),
        ("## Title ##\n\nText", "Title\n\nText"),
        ("**Hours:** 9-5\n**Price:** $30", "Hours: 9-5\nPrice: $30"),
        ("one  \ntwo\\\nthree\nfour", "one\ntwo\nthree\nfour"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("one<br>two<BR />three <branch>", "one\ntwo\nthree <branch>"),
        ("\\*no\\* \\_markup\\_ \\$5", "*no* _markup_ $5"),
        ("R&amp;D &lt;3 &copy;", "R&D <3 ©"),
        ("before\n```python\nx = '**1**'\n\ny\n```\nafter", "before\nx = '**1**'\n\ny\nafter"),
        ("```Please note this\nand that", "Please note this\nand that"),
        ("这是**粗体**文字", "这是粗体文字"),
        ("a\n\n---\n\nb", "a\n\nb"),
        ("a\n---\nb", "a\n\nb"),
        ("a\n***\nb", "a\n\nb"),
        ("~~$50~~ $30", "$50 $30"),
        ("~~old~~ new, ~~**all** of it~~", "old new, all of it"),
        ("- ~~one~~\n- two", "- one\n- two"),
        ("**注意：**请带证件", "注意：请带证件"),
        ("**Wichtig:**10 €, **Preis:**20 €", "Wichtig:10 €, Preis:20 €"),
        ("**Note:**please, **Total:**$30", "Note:please, Total:$30"),
        ("这是**“重点”**内容，**（新）**的", "这是“重点”内容，（新）的"),
        ("**「注意」**です。**重要！**必ず", "「注意」です。重要！必ず"),
        ("**참고:**내일, ***注意：***请", "참고:내일, 注意：请"),
        ("<b>bold</b> <STRONG>x</STRONG> <i>y</i> <em>z</em> <u>u</u> <s>s</s> <del>d</del>", "bold x y z u s d"),
        ("<b>Hours: <i>nine</i></b> to **five**", "Hours: nine to five"),
    ],
)
def test_markup_goes_and_words_stay(markdown: str, said: str) -> None:
    """A text message has no Markdown, and line breaks stay."""
    assert say(markdown) == said


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("See [our site](https://x.com/a_b_c).", "See our site: https://x.com/a_b_c."),
        ("[**Book** now](https://x.com/?a=1&b=2)", "Book now: https://x.com/?a=1&b=2"),
        ("[Questions?](https://x.com) [Book:](https://y.com)", "Questions? https://x.com Book: https://y.com"),
        ("[https://x.com](https://x.com)", "https://x.com"),
        ('<a href="https://x.com/a_b">our site</a>.', "our site: https://x.com/a_b."),
        ("<A class='q' HREF='https://x.com' target=_blank>Book <b>now</b></A>", "Book now: https://x.com"),
        ('<a href="https://x.com">https://x.com</a>', "https://x.com"),
        ('<a href="mailto:a@x.com">Mail</a>, <a href="tel:+1555">call</a>', "Mail: a@x.com, call: +1555"),
        ('<a href="https://x.com/?a=1&amp;b=2">us</a>', "us: https://x.com/?a=1&b=2"),
        ("[us](https://x.com/?a=1&amp;b=2)", "us: https://x.com/?a=1&b=2"),
        ("https://x.com/?a=1&amp;b=2&amp;c=3.", "https://x.com/?a=1&b=2&c=3."),
        ("<https://x.com/?a=1&amp;b=2>", "https://x.com/?a=1&b=2"),
        ("https://x.com/?a=1&copy=2", "https://x.com/?a=1&copy=2"),
        ("[x.com](https://www.x.com/)", "https://www.x.com/"),
        ("[https://x.com/_a_](https://x.com/_a_)", "https://x.com/_a_"),
        ("[](https://x.com)", "https://x.com"),
        ("<https://x.com/a>", "https://x.com/a"),
        ("https://x.com/_a_/b*c*d?e=%20&copy=2", "https://x.com/_a_/b*c*d?e=%20&copy=2"),
        ("**https://x.com/a** (https://x.com/b_(c))", "https://x.com/a (https://x.com/b_(c))"),
        ("http://münchen.de/ä", "http://münchen.de/ä"),
        ("[us](mailto:a@x.com) <a@x.com> [a@x.com](mailto:a@x.com)", "us: a@x.com a@x.com a@x.com"),
        ("[call](tel:+15551234567)", "call: +15551234567"),
        ("![A chair](https://x.com/1.png)", "A chair: https://x.com/1.png"),
        ("![](https://x.com/1.png)", "https://x.com/1.png"),
        ("![A chair](data:image/png;base64,AAAA)", "A chair"),
        ("[![A chair](https://x.com/1.png)](https://x.com)", "A chair: https://x.com"),
        ("[bad](javascript:alert(1))", "[bad](javascript:alert(1))"),
        ("[1] and [Update]: done\n\n[1]: https://x.com", "[1] and [Update]: done\n\n[1]: https://x.com"),
    ],
)
def test_links_are_spelled_out(markdown: str, said: str) -> None:
    """A link becomes "text: address", or one if both are equal, and an address is never changed."""
    assert say(markdown) == said


@pytest.mark.parametrize(
    ("markdown", "said"),
    [
        ("* a\n* b", "- a\n- b"),
        ("- a\n- b\n\nc", "- a\n- b\n\nc"),
        ("*   a\n    * b\n        * c\n*   d", "- a\n  - b\n    - c\n- d"),
        ("1. a\n2. b", "1. a\n2. b"),
        ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
        ("3) a\n7) b", "3) a\n7) b"),
        ("007. a", "007. a"),
        ("1. **a**\n   - b\n2. c", "1. a\n  - b\n2. c"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("- a\nlazy", "- a\nlazy"),
        ("1. - a", "1. - a"),
        ("- [ ] a\n- [x] b", "- [ ] a\n- [x] b"),
        ("Fees:\n- one\n- two\nBye", "Fees:\n- one\n- two\nBye"),
        ("| Cut | Price |\n|---|--:|\n| Short | $30 |\n| **Long** | |", "Cut: Short, Price: $30\nCut: Long"),
        ("| | Mon |\n|-|-|\n| Ann | 9-5 |", "Ann, Mon: 9-5"),
        ("| a | b |\n|---|---|", "a, b"),
    ],
)
def test_lists_and_tables_stay_readable(markdown: str, said: str) -> None:
    """Lists keep their signs, numbers and depth; a table's row names its columns."""
    assert say(markdown) == said


@pytest.mark.parametrize(
    "prose",
    [
        "2 * 3 * 4 = 24",
        "2*3*4=24, 5*10=50 and 6*10=60, 2**3**4",
        "from $5* a day (*plus tax)",
        "snake_case and a_b_c, __x",
        "Rating:\n*****\nName:\n________",
        "> 18 years only\nCall us",
        "1986. A great year",
        "Room no.\n1. floor",
        "12. May is fine",
        "1.",
        "-",
        "+ tax",
        "-5 degrees, +5 degrees",
        "#1 choice, #sale",
        "Hi :) :* ;) <3 >:( ^_^",
        "5 < 6 > 4 & <bold>x</bold> <Name>",
        "<b>open, <a href='/here'>here</a>, <a>us</a>",
        "5 ~~ 10 and ~5~, ~~~",
        "2**(3)**4 and **: 3",
        "    four spaces".strip(),
        "Regards\n--\nJohn",
        "Hello\n=====\nthere",
        "C:\\temp | D:\\temp",
        "a@x.com, www.x.com, 10:30",
        "“It’s” 5…",
    ],
)
def test_prose_that_looks_like_markdown_is_left_alone(prose: str) -> None:
    """Stars, underscores, numbers and signs in ordinary prose are no markup."""
    assert say(prose) == prose


@pytest.mark.parametrize("nothing", ["", " \n\t", "---", "***\n\n---", "#", "\x00\x07", "```\n```"])
@pytest.mark.parametrize("channel", [*TEXTING, Channel.EMAIL])
def test_an_answer_may_say_nothing(nothing: str, channel: Channel) -> None:
    """White space and bare markup give no part, on any channel."""
    shaped = shape(nothing, channel, sms_max_segments=1)
    assert (shaped.parts, shaped.shortened, shaped.segments) == ((), False, 0)


@pytest.mark.parametrize("channel", [*TEXTING, Channel.EMAIL])
def test_control_characters_go(channel: Channel) -> None:
    """No control character and no half of a surrogate pair is posted; every kind of line break becomes the same."""
    text = "a\x00b\x07c\x1b\x7f\x85d\r\ne\rf\u2028g\ud83dh\ufeff"
    assert re.sub(r"<br>\n|</?p>", "|", say(text, channel)).replace("\n", "|").strip("|") == "abc|d|e|f|gh"


@pytest.mark.parametrize(
    ("markdown", "html"),
    [
        ("**Hi** & *bye*", "<p><strong>Hi</strong> &amp; <em>bye</em></p>"),
        ("one\ntwo\r\n\r\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"),
        ("```c++\na\n```\n```Please note\n```", "<pre><code>a\n</code></pre>\n<pre><code>Please note\n</code></pre>"),
        ("one<br>two<br/>three", "<p>one<br>\ntwo<br>\nthree</p>"),
        ("# T\n- a\n- b", "<h1>T</h1>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a", '<ol start="3">\n<li>a</li>\n</ol>'),
        ("~~$50~~ $30\n\n---", "<p><s>$50</s> $30</p>\n<hr>"),
        ("**注意：**请 **Preis:**10 €", "<p><strong>注意：</strong>请 <strong>Preis:</strong>10 €</p>"),
        ('<a href="https://x.com/?a=1&amp;b=2">us</a>', '<p><a href="https://x.com/?a=1&amp;b=2">us</a></p>'),
        ("[us](https://x.com/?a=1&amp;b=2)", '<p><a href="https://x.com/?a=1&amp;b=2">us</a></p>'),
        ("https://x.com/?a=1&amp;b=2", '<p><a href="https://x.com/?a=1&amp;b=2">https://x.com/?a=1&amp;b=2</a></p>'),
        ("<b>a</b> <i>b</i> <del>c</del>", "<p><strong>a</strong> <em>b</em> <s>c</s></p>"),
        ('<a href="javascript:alert(1)">x</a>', '<p>&lt;a href="javascript:alert(1)"&gt;x&lt;/a&gt;</p>'),
        ('<a href="https://x.com" onclick="y">x</a>', '<p><a href="https://x.com">x</a></p>'),
        ("2*3*4 and\n*****", "<p>2*3*4 and</p>\n<p>*****</p>"),
        ("[us](https://x.com/?a=1&b=2 'tip')", '<p><a href="https://x.com/?a=1&amp;b=2">us</a></p>'),
        ("https://x.com/_a_", '<p><a href="https://x.com/_a_">https://x.com/_a_</a></p>'),
        ("[us](mailto:a@x.com)", '<p><a href="mailto:a@x.com">us</a></p>'),
        ("[call](tel:+1555) [there](/p) [x](ftp://x.com)", "<p>call: +1555 there: /p x: ftp://x.com</p>"),
        ("![A chair](https://x.com/1.png)", '<p><a href="https://x.com/1.png">A chair</a></p>'),
        ("![](https://x.com/1.png)", '<p><a href="https://x.com/1.png">https://x.com/1.png</a></p>'),
        ("[![A chair](https://t.co/1.png)](https://x.com)", '<p><a href="https://x.com">A chair</a></p>'),
        ("[bad](javascript:alert(1))", "<p>[bad](javascript:alert(1))</p>"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"),
        ("`<img src=x onerror=alert(1)>`", "<p><code>&lt;img src=x onerror=alert(1)&gt;</code></p>"),
        ("> 18 years", "<p>&gt; 18 years</p>"),
        ("“It’s” 5…", "<p>“It’s” 5…</p>"),
    ],
)
def test_an_email_is_html(markdown: str, html: str) -> None:
    """An e-mail keeps its Markdown as HTML, with links to web and mail addresses only, without pictures and others' markup."""
    assert say(markdown, Channel.EMAIL) == html


def test_an_email_is_never_split() -> None:
    """An e-mail of any length is one part and loses nothing."""
    shaped = shape("A sentence. " * 5000, Channel.EMAIL, sms_max_segments=1)
    assert len(shaped.parts) == 1
    assert shaped.parts[0].count("A sentence.") == 5000
    assert (shaped.shortened, shaped.segments) == (False, 0)


@pytest.mark.parametrize("channel", [Channel.FB, Channel.EMAIL])
def test_a_text_too_long_for_the_parser_is_taken_as_it_is(channel: Channel) -> None:
    """A text longer than any answer is not read as Markdown, but it is sent, and quickly."""
    begin = time.perf_counter()
    said = "".join(shape("[<" * 500_000, channel, sms_max_segments=1).parts)
    assert said.count("[") == 500_000
    assert time.perf_counter() - begin < 5


@pytest.mark.parametrize(
    ("fields", "channel"),
    [
        ({}, Channel.SMS),
        ({"channel": Channel.CUSTOM, "message_type": "SMS", "message_type_string": "TYPE_CUSTOM_SMS"}, Channel.SMS),
        ({"channel": Channel.CUSTOM, "message_type": "Custom"}, Channel.CUSTOM),
        ({"channel": Channel.EMAIL, "message_type": "Custom"}, Channel.EMAIL),
    ],
)
def test_what_goes_out_as_sms_is_sms(fields: dict[str, str], channel: Channel) -> None:
    """An answer by a custom provider's SMS obeys the rules of SMS."""
    assert carried_as(message(**fields)) == channel


@pytest.mark.parametrize(
    ("channel", "limit"),
    [
        (Channel.SMS, 1600),
        (Channel.CUSTOM, 1600),
        (Channel.FB, 2000),
        (Channel.IG, 1000),
        (Channel.WHATSAPP, 4096),
        (Channel.LIVE_CHAT, 2000),
    ],
)
def test_parts_keep_to_the_channels_limit(channel: Channel, limit: int) -> None:
    """A text of exactly the limit is one part, and one character more makes two."""
    assert [len(part) for part in shape("a" * limit, channel, sms_max_segments=MANY).parts] == [limit]
    assert [len(part) for part in shape("a" * (limit + 1), channel, sms_max_segments=MANY).parts] == [limit, 1]


def test_vendors_count_differently() -> None:
    """Instagram counts bytes, the others UTF-16 units."""
    assert len(shape("é" * 1000, Channel.IG, sms_max_segments=MANY).parts) == 2
    assert len(shape("é" * 2000, Channel.FB, sms_max_segments=MANY).parts) == 1
    assert len(shape("😀" * 2000, Channel.FB, sms_max_segments=MANY).parts) == 2


def test_an_sms_is_capped() -> None:
    """Above `sms_max_segments` it ends with a sentence and is reported as shortened; below it is complete."""
    text = "This sentence is forty characters long. " * 100
    shaped = shape(text, Channel.SMS, sms_max_segments=12)
    assert shaped.shortened
    assert shaped.segments <= 12
    assert len(shaped.parts) == 2
    assert all(part.endswith("long.") for part in shaped.parts)
    whole = shape(text, Channel.SMS, sms_max_segments=MANY)
    assert not whole.shortened
    assert " ".join(whole.parts) == text.strip()


@pytest.mark.parametrize("channel", [channel for channel in TEXTING if channel is not Channel.SMS])
def test_only_an_sms_is_capped(channel: Channel) -> None:
    """Other channels lose nothing."""
    shaped = shape("word " * 3000, channel, sms_max_segments=1)
    assert " ".join(shaped.parts).split() == ["word"] * 3000
    assert (shaped.shortened, shaped.segments) == (False, 0)


def test_a_long_answer_is_shaped_quickly() -> None:
    """20,000 characters take some milliseconds."""
    text = ("Our **hours** are [here](https://x.com/hours): Mon-Fri. Come by!\n" * 320)[:20_000]
    begin = time.process_time()
    for channel in (Channel.SMS, Channel.EMAIL):
        shape(text, channel, sms_max_segments=MANY)
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    "text",
    [
        "a" + " " * 20_000 + "b",
        "!" * 20_000,
        "[" * 20_000,
        "![" * 10_000,
        "*a " * 7_000,
        "- a\n" * 5_000,
        "😀" * 20_000,
        "e" + "\u0301" * 20_000,
        "\n" * 20_000 + "x",
        "https://x.yz/a_b " * 1_200,
        "<b>" * 7_000,
        '<a href="https://x.yz">' * 900,
        "<b>" * 3_000 + "</b>" * 3_000,
        '<a href="https://x.yz">x</a>' * 700,
        "<a " * 7_000,
        '<a href="' * 2_500,
        "**x：**y" * 3_000,
        "~~" * 10_000,
        "\u200d" * 20_000,
        "|a" * 5_000 + "\n" + "|-" * 5_000,
    ],
    ids=str.__len__,
)
def test_no_text_takes_long(text: str) -> None:
    """This includes the worst texts for parsers and patterns."""
    begin = time.process_time()
    shape(text, Channel.SMS, sms_max_segments=MANY)
    assert time.process_time() - begin < 2


WORD = st.text("abcdefgh", min_size=1, max_size=8)
INLINE = st.one_of(
    WORD,
    WORD.map("**{}**".format),
    WORD.map("*{}*".format),
    WORD.map("_{}_".format),
    WORD.map("`{}`".format),
    st.tuples(WORD, WORD).map(lambda two: f"[{two[0]}](https://x.yz/{two[1]})"),
    WORD.map("https://x.yz/_{}_".format),
    WORD.map("{}.".format),
    WORD.map("{}!".format),
)
LINE = st.lists(INLINE, min_size=1, max_size=60).map(" ".join)
BLOCK = st.one_of(
    LINE,
    LINE.map("# {}".format),
    LINE.map("> {}".format),
    st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"* {line}" for line in lines)),
    st.lists(LINE, min_size=1, max_size=4).map(lambda lines: "\n".join(f"1. {line}" for line in lines)),
    LINE.map("```\n{}\n```".format),
)
ANSWER = st.lists(BLOCK, min_size=1, max_size=8).map("\n\n".join)


def words(text: str) -> list[str]:
    return re.findall("[a-h]+", text.replace("https://x.yz/", ""))


@settings(deadline=None)
@given(answer=ANSWER, channel=st.sampled_from([one for one in TEXTING if one is not Channel.TIKTOK]))
def test_no_word_is_lost_and_none_changes_its_place(answer: str, channel: Channel) -> None:
    """In any markup and any number of parts, all words are sent in order."""
    shaped = shape(answer, channel, sms_max_segments=10_000)
    assert words(" ".join(shaped.parts)) == words(answer)
    assert not shaped.shortened


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("Book here: https://acme.example/a?b=1.", "Book here."),
        ("[Book](https://acme.example) now, or call.", "Book now, or call."),
        ("See https://acme.example and https://b.example/x!", "See and!"),
        ("We open at 9:00.", "We open at 9:00."),
    ],
)
def test_tiktok_gets_no_links(answer: str, said: str) -> None:
    """TikTok refuses links: the text is sent without them, and the timeline says that something was left out."""
    shaped = shape(answer, Channel.TIKTOK, sms_max_segments=10)
    assert (" ".join(shaped.parts), shaped.shortened) == (said, said != answer)


def test_tiktok_gets_ten_messages_at_most() -> None:
    """TikTok accepts no more after a contact's message: the timeline says that the rest was left out."""
    ten, eleven = (shape("We open at nine. " * (many * 6000 // 17), Channel.TIKTOK, sms_max_segments=10) for many in (10, 11))
    assert (len(ten.parts), ten.shortened) == (10, False)
    assert (len(eleven.parts), eleven.shortened) == (10, True)


@settings(deadline=None)
@given(answer=ANSWER)
def test_an_email_says_every_word(answer: str) -> None:
    """The HTML contains all of the text."""
    html = re.sub('<a href="([^"]*)">', r" \1 ", say(answer, Channel.EMAIL))
    assert Counter(words(answer)) <= Counter(words(unescape(re.sub("<[^>]*>", " ", html))))


@settings(deadline=None)
@given(answer=ANSWER, most=st.integers(1, 12))
def test_a_shortened_answer_is_the_beginning_of_the_whole(answer: str, most: int) -> None:
    """With a cap it is a beginning of the whole answer, costs no more than allowed, and says if it was shortened."""
    whole = shape(answer, Channel.SMS, sms_max_segments=10_000)
    shaped = shape(answer, Channel.SMS, sms_max_segments=most)
    assert shaped.segments <= most
    assert words(" ".join(whole.parts))[: len(words(" ".join(shaped.parts)))] == words(" ".join(shaped.parts))
    assert shaped.shortened == (whole.segments > most)
    assert shaped.parts


@settings(deadline=None, max_examples=300)
@given(
    answer=st.text(st.one_of(st.characters(), st.sampled_from("*_`[]()<>#>-+.1|!\n\t\\&; \"'")), max_size=400),
    times=st.sampled_from([1, 1, 1, 20]),
    channel=st.sampled_from([*TEXTING, Channel.EMAIL]),
    most=st.integers(1, 3),
)
def test_anything_can_be_shaped(answer: str, times: int, channel: Channel, most: int) -> None:
    """Any text is shaped without an error into parts without blank ones, control characters or excess length."""
    shaped = shape(answer * times, channel, sms_max_segments=most)
    for part in shaped.parts:
        assert part.strip()
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]", part)
        if channel is not Channel.EMAIL:
            limit, measure = LIMITS[channel]
            assert measure(part) <= limit
    if channel is Channel.SMS:
        assert shaped.segments <= most
