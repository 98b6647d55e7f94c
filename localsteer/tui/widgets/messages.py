"""One message in the conversation: what the person said, what the model replies, and notes of the app itself."""

from __future__ import annotations

from typing import Literal, TypeAlias

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Markdown, Static
from textual.widgets.markdown import MarkdownStream

from localsteer.tui.markdown import FinishedMarkdown, chat_markdown
from localsteer.tui.plain import PlainStream, plain
from localsteer.tui.strengths import ARROW, Course, signed

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
        super().__init__(Content(plain(text)))


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
        super().__init__(Content(plain(text)), classes=f"-{kind}")


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
        self._clean = PlainStream()
        self._stream: MarkdownStream | None = None
        self._foot = Static(Content(""), classes="reply--foot")

    def compose(self) -> ComposeResult:
        yield self._foot

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
        self.text = plain(text).strip("\n")
        dark = self.app.current_theme.dark
        body = Static(FinishedMarkdown(self.text, dark=dark), classes="reply--body", markup=False)
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

    def show_strengths(self, courses: tuple[Course, ...], remark: str = "", *, steerable: bool = True) -> None:
        """What the reply was (or is being) written with, then ``remark`` (speed, why it ended)."""
        parts = [_course_words(course) for course in courses]
        if not parts and steerable:
            parts = [Content.styled("unsteered", "$faint")]
        if remark:
            parts.append(Content.styled(remark, "$faint"))
        self._foot.update(Content("   ").join(parts))


def _course_words(course: Course) -> Content:
    """A dial's name and its strengths, each in the colour of the pole that it leans to."""
    values = (
        Content("…") if value is None else Content.styled(signed(value), _colour(value)) for value in course.stations
    )
    return Content.assemble((plain(course.name), "$quiet"), " ", Content.styled(ARROW, "$faint").join(values))


def _colour(strength: float) -> str:
    return "$pole-positive" if strength > 0 else "$pole-negative" if strength < 0 else "$quiet"
