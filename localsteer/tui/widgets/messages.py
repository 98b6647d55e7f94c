"""One message in the conversation: what the person said, what the model replies, and notes of the app itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from localsteer.tui.foot import content
from localsteer.tui.past import PastMessage, Words, past_note, past_reply, past_user
from localsteer.tui.plain import MOST_CHARACTERS, PlainStream, plain, shown_part
from localsteer.tui.signs import Sign
from localsteer.tui.widgets.lengthening import Lengthening
from localsteer.tui.widgets.picking import Pickable
from localsteer.tui.widgets.selectable import SelectableLines

if TYPE_CHECKING:
    from localsteer.tui.markdown import FinishedMarkdown
    from localsteer.tui.widgets.growing_reply import GrowingReply

_WORD = re.compile(r"(?<![^\s])[^\W_]")

NoteKind: TypeAlias = Literal["quiet", "warning", "error"]


class UserView(Static, Pickable):
    """What the person said, letter by letter: no Markdown, no markup."""

    DEFAULT_CSS = """
    UserView {
        width: 1fr;
        height: auto;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: thick $primary;
        background: $surface;
        &.-picked { border-left: thick $foreground; background: $panel; }
    }
    """

    def __init__(self, text: str, message_id: int | None = None, foot: Words = ()) -> None:
        self.written = text
        self.text = shown_part(plain(text))
        self.message_id = message_id
        self._foot = foot
        super().__init__(Content("\n").join([Content(self.text), *([content(foot)] if foot else [])]))

    @property
    def past(self) -> PastMessage:
        """The message as it is folded; nothing of it holds on to this widget."""
        text, foot = self.text, self._foot
        return PastMessage(self.message_id, lambda dark: past_user(text, foot))


class NoteLine(Static):
    """A remark of the app between the messages."""

    DEFAULT_CSS = """
    NoteLine {
        width: 1fr;
        height: auto;
        margin: 0 0 1 0;
        padding: 0 1 0 2;
        color: $quiet;
        &.-warning { color: $warning; }
        &.-error { color: $error; border-left: thick $error; padding: 0 1; }
    }
    """

    def __init__(self, text: str, kind: NoteKind = "quiet") -> None:
        self.text = plain(text)
        self._kind = kind
        super().__init__(Content(self.text), classes=f"-{kind}")

    @property
    def past(self) -> PastMessage:
        """The remark as it is folded; nothing of it holds on to this widget."""
        text, kind = self.text, self._kind
        return PastMessage(None, lambda dark: past_note(text, kind))


class ReplyView(Vertical, Pickable, Lengthening):
    """A reply: while it grows its lines, once it is whole one ``Static``; below it, the strengths."""

    DEFAULT_CSS = """
    ReplyView {
        width: 1fr;
        height: auto;
        margin: 0 0 1 0;
        padding: 0 0 0 2;
        &.-picked { border-left: thick $foreground; padding: 0 0 0 1; background: $surface; }
        & > .reply--body { width: 1fr; height: auto; padding: 0; margin: 0; }
        & > .reply--foot { width: 1fr; height: auto; color: $quiet; }
    }
    """

    def __init__(
        self, whole: str | None = None, message_id: int | None = None, foot: Words = (), signs: Sequence[Sign] = ()
    ) -> None:
        """``whole``: of one that was written before; None for one that is going to be fed."""
        super().__init__()
        self.message_id = message_id
        self.text = ""
        self._whole = ""
        self._signs = signs
        self._finished = whole is not None
        self._clean = PlainStream()
        self._growing: GrowingReply | None = None
        self._words = foot
        self._foot = Static(content(foot), classes="reply--foot")
        self._foot_shown = whole is not None
        self._sign = ""
        if whole is not None:
            self._foot.display = bool(foot)
            self._take(whole, signs)

    def compose(self) -> ComposeResult:
        if self._finished:
            yield self._body()
        yield self._foot

    @property
    def written(self) -> str:
        """The reply as the model wrote it; while it grows, as far as it is shown."""
        return self._whole or self.text

    async def feed(self, piece: str) -> None:
        """More of the reply. Called some ten times a second with all that came since, not for every token."""
        shown = self._clean.feed(piece)
        if not self.text:
            shown = shown.lstrip("\n")
        shown = shown[: max(0, MOST_CHARACTERS - len(self.text))]
        if not shown or not self.is_attached:
            return
        self.text += shown
        if self._sign:
            shown = self._with_sign(shown)
        if self._growing is None:
            from localsteer.tui.widgets.growing_reply import GrowingReply

            self._growing = GrowingReply(dark=self.app.current_theme.dark, classes="reply--body")
            await self.mount(self._growing, before=self._foot)
        self._growing.add(shown)

    def sign(self, glyph: str) -> None:
        """A dial was turned: the next word that comes is marked."""
        self._sign = glyph if self.text else ""

    async def finish(self, text: str, signs: Sequence[Sign] = ()) -> None:
        """The whole reply; its lines give way to one renderable. ``signs``: places in ``text``."""
        self._growing = None
        self._take(text, signs)
        if not self.is_attached:
            return
        with self.app.batch_update():
            await self.query(".reply--body").remove()
            await self.mount(self._body(), before=self._foot)

    def repaint_for_theme(self) -> None:
        """The colours of what is drawn are baked in; bake them again."""
        if self._growing is not None:
            self._growing.repaint(dark=self.app.current_theme.dark)
            return
        for body in self.query(".reply--body").results(Static):
            body.update(self._drawn())

    def show_waiting(self, words: str) -> None:
        """Before the first token: what is being waited for."""
        self._foot_shown = False
        self._foot.update(Content.styled(words, "$faint italic"))

    def show_foot(self, words: Words) -> None:
        """What the reply was (or is being) written with. Nothing happens to one that has left the screen."""
        if not self.is_attached or (words == self._words and self._foot_shown):
            return
        self._words, self._foot_shown = words, True
        self._foot.display = True
        self._foot.update(content(words))

    @property
    def past(self) -> PastMessage:
        """The finished reply as it is folded; nothing of it holds on to this widget, with all that it was made of."""
        text, words, signs = self.text, self._words, self._signs
        return PastMessage(self.message_id, lambda dark: past_reply(text, words, dark=dark, signs=signs))

    def _take(self, text: str, signs: Sequence[Sign]) -> None:
        self._finished = True
        self._whole = text.strip("\n")
        self.text, self._signs = shown_reply(text, signs)

    def _body(self) -> SelectableLines:
        return SelectableLines(self._drawn(), classes="reply--body", markup=False)

    def _drawn(self) -> FinishedMarkdown:
        from localsteer.tui.markdown import FinishedMarkdown

        return FinishedMarkdown(self.text, dark=self.app.current_theme.dark, signs=self._signs)

    def _with_sign(self, shown: str) -> str:
        word = _WORD.search(shown)
        if word is None:
            return shown
        glyph, self._sign = self._sign, ""
        return shown[: word.start()] + glyph + shown[word.start() :]


def shown_reply(text: str, signs: Sequence[Sign] = ()) -> tuple[str, tuple[Sign, ...]]:
    """A reply's text as it is painted, and the signs at their places in that."""
    whole = plain(text)
    begin = len(whole) - len(whole.lstrip("\n"))
    places = (max(0, len(plain(text[: sign.place])) - begin) for sign in signs)
    moved = (replace(sign, place=place) for sign, place in zip(signs, places, strict=True))
    return shown_part(whole.strip("\n")), tuple(sign for sign in moved if sign.place < MOST_CHARACTERS)
