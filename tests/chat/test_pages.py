"""A conversation as a page to be read elsewhere: complete, harmless, and whole in one file."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from localsteer.chat.conversation import Conversation, StoredMessage
from localsteer.chat.html_page import as_html
from localsteer.chat.markdown_page import as_markdown
from localsteer.engine.protocol import DialMark
from tests.chat.conftest import HAPPY, SAD, record

EVIL = (
    "<script>alert(1)</script> <img src=x onerror=alert(1)> [a](javascript:alert(1)) ![b](http://evil/p.png) "
    "\x1b[31m\u202e"
)


def talk(*texts: str, title: str = "Tea") -> Conversation:
    marks = (DialMark(0, (HAPPY,)), DialMark(2, (SAD,)))
    written = replace(record(*marks), tokens=(1, 2, 3), seed=7, finish_reason="length", tokens_per_second=31.5)
    messages = tuple(
        StoredMessage(
            id=number + 1,
            conversation_id=1,
            parent_id=number or None,
            role="assistant" if number % 2 else "user",
            content=text,
            created=1.0,
            reply=written if number % 2 else None,
            alternatives=1 + number % 2,
        )
        for number, text in enumerate(texts)
    )
    return Conversation(1, title, "Be *kind*.", 1.0, 2.0, messages)


class Seen(HTMLParser):
    """What a browser would see: text, tags, attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("page", [as_markdown, as_html])
def test_it_holds_all_messages_and_how_replies_were_written(page: object) -> None:
    written = page(talk("Tea?", "Yes.", "Why?"))  # type: ignore[operator]
    text = Seen(written).text if "<html" in written else written
    for words in ("Tea?", "Yes.", "Why?", "Small", "You", "mood +1.25 → -1.25", "seed 7", "3 tokens", "1 of 2"):
        assert words in text
    assert "cut at the length limit" in text


def test_html_obeys_nothing_that_was_said_and_fetches_nothing() -> None:
    seen = Seen(as_html(talk(EVIL, EVIL, title=EVIL)))
    assert seen.text.count("<script>alert(1)</script>") == 4  # both messages, title and heading
    assert not {"script", "img", "link", "iframe"} & seen.tags
    assert not any(attribute.startswith("on") for attribute in seen.attributes)
    assert "src" not in seen.attributes
    assert seen.links == ["http://evil/p.png"]  # the reply's picture, as a link that waits to be followed
    assert not {"\x1b", "\u202e"} & set(seen.text)


def test_html_shows_a_reply_as_the_markdown_that_it_is() -> None:
    seen = Seen(as_html(talk("*Tea*?", "**Yes**\n\n```python\nif 1 < 2: pass\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |")))
    assert {"strong", "pre", "table"} <= seen.tags
    assert "*Tea*?" in seen.text
    assert "if 1 < 2: pass" in seen.text


@pytest.mark.parametrize("opened", ["```python\nprint(1)", "~~~~\n```\n~~~", "   ```\n    ```"])
def test_a_code_block_that_was_left_open_swallows_nothing(opened: str) -> None:
    seen = Seen(as_html(talk("Tea?", as_markdown(talk("Code?", opened, "Thanks")))))
    assert "h2" in seen.tags
    assert "## You" not in seen.text


def test_a_title_and_a_name_are_no_markdown() -> None:
    assert as_markdown(talk("Tea?", title="# *Tea* <b>")).splitlines()[0] == r"# \# \*Tea\* \<b\>"


def test_an_empty_conversation_is_a_page_too() -> None:
    assert "Tea" in Seen(as_html(talk())).text
    assert as_markdown(talk()).startswith("# Tea")
