"""One message in the conversation: what the person said, what the model replies, and notes of the app itself."""

from __future__ import annotations

from typing import Literal, TypeAlias

from rich.console import RenderableType
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from localsteer.tui.foot import content
from localsteer.tui.markdown import FinishedMarkdown, chat_markdown
from localsteer.tui.past import Words, past_note, past_reply, past_user
from localsteer.tui.plain import PlainStream, plain
from localsteer.tui.widgets.selectable import SelectableLines

NoteKind: TypeAlias = Literal["quiet", "warning", "error"]


class UserView(Static):
    """What the person said, letter by letter: no Markdown, no markup."""

    DEFAULT_CSS = """
    UserView {
        width: 1fr;
        height: auto;
        margin: 0 0 1 0;
        padding: 0 1;
        border-left: thick $primary;
        background: $surface;
    }
    """

    def __init__(self, text: str) -> None:
        self.written = text
        self.text = plain(text)
        super().__init__(Content(self.text))

    def past(self, dark: bool) -> RenderableType:
        """The message as a renderable."""
        return past_user(self.text)


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

    def past(self, dark: bool) -> RenderableType:
        """The remark as a renderable."""
        return past_note(self.text, self._kind)


class ReplyView(Vertical):
    """A reply: Markdown widgets while it grows, one cheap ``Static`` once it is whole; below it, the strengths."""

    DEFAULT_CSS = """
    ReplyView {
        width: 1fr;
        height: auto;
        margin: 0 0 1 0;
        padding: 0 0 0 2;
        & > .reply--body { width: 1fr; height: auto; padding: 0; margin: 0; }
        & > .reply--foot { width: 1fr; height: auto; color: $quiet; }
        & MarkdownBlock:last-child { margin-bottom: 0; }
        & MarkdownHeader { margin: 0 0 1 0; content-align: left middle; color: $primary; background: transparent;
                           text-style: bold; }
        & MarkdownFence { margin: 0 0 1 0; background: $panel !important; }
        & MarkdownFence > Label { padding: 0 1; }
        & MarkdownBlockQuote { margin: 0 0 1 0; background: transparent; color: $quiet;
                               border-left: outer $quiet !important; }
        & MarkdownBullet { color: $primary !important; }
        & MarkdownTableContent { keyline: none; grid-gutter: 0 1; }
        & .code_inline { color: $primary !important; background: $panel !important; }
    }
    """

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self._whole = ""
        self._clean = PlainStream()
        self._stream: MarkdownStream | None = None
        self._words: Words = ()
        self._foot = Static(Content(""), classes="reply--foot")

    def compose(self) -> ComposeResult:
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
        if not shown:
            return
        self.text += shown
        if self._stream is None:
            body = Markdown(parser_factory=chat_markdown, open_links=False, classes="reply--body")
            await self.mount(body, before=self._foot)
            self._stream = Markdown.get_stream(body)
        await self._stream.write(shown)

    async def finish(self, text: str) -> None:
        """The whole reply; the Markdown widgets give way to one renderable."""
        if self._stream is not None:
            await self._stream.stop()
            self._stream = None
        self._whole = text.strip("\n")
        self.text = plain(text).strip("\n")
        dark = self.app.current_theme.dark
        body = SelectableLines(FinishedMarkdown(self.text, dark=dark), classes="reply--body", markup=False)
        with self.app.batch_update():
            await self.query(".reply--body").remove()
            await self.mount(body, before=self._foot)

    def repaint_for_theme(self) -> None:
        """The colours of a finished reply are baked in; bake them again."""
        for body in self.query(".reply--body").results(Static):
            body.update(FinishedMarkdown(self.text, dark=self.app.current_theme.dark))

    def show_waiting(self, words: str) -> None:
        """Before the first token: what is being waited for."""
        self._foot.update(Content.styled(words, "$faint italic"))

    def show_foot(self, words: Words) -> None:
        """What the reply was (or is being) written with. Nothing happens to one that has left the screen."""
        if not self.is_attached:
            return
        self._words = words
        self._foot.update(content(words))

    def past(self, dark: bool) -> RenderableType:
        """The finished reply as a renderable."""
        return past_reply(self.text, self._words, dark=dark)
