"""Model text as Markdown: a Rich renderable. For text that grows see ``growing.py``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.segment import Segment
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax, SyntaxTheme

from localsteer.tui.signs import Sign, painted, parsed_with_signs

_CODE: dict[str, tuple[str, ...]] = {
    "keyword": ("Keyword",),
    "string": ("Literal", "String"),
    "number": ("Literal", "Number"),
    "function": ("Name", "Function"),
    "comment": ("Comment",),
}
_LONGEST_LINE = 4_000
_MOST_COLUMNS = 100
_DARK_CODE = "nord"
_LIGHT_CODE = "friendly"


class _ChatMarkdown(MarkdownIt):
    """Takes for Markdown what somebody could want to read: drawing a table of a thousand columns takes minutes."""

    def parse(self, src: str, env: EnvType | None = None) -> list[Token]:
        wide = any(len(line) > _LONGEST_LINE or line.count("|") > _MOST_COLUMNS for line in src.split("\n"))
        return MarkdownIt("zero").parse(src, env) if wide else super().parse(src, env)


@lru_cache(maxsize=1)
def chat_markdown() -> MarkdownIt:
    """A Markdown parser for what models write: HTML is text like any other, and a line end is a line end."""
    parser = _ChatMarkdown("commonmark", {"html": False}).enable(["strikethrough", "table"])
    # Without these an indented line turns into code, and HTML that is switched off may still swallow a paragraph.
    parser.disable(["code", "html_block", "html_inline"])
    parser.core.ruler.push("line_ends", _keep_line_ends)
    return parser


def _keep_line_ends(state: StateCore) -> None:
    for token in state.tokens:
        for child in token.children or ():
            if child.type == "softbreak":
                child.type, child.tag = "hardbreak", "br"


class _PlainHeading(Heading):
    """Headings on the left: a chat is a narrow column."""

    LEVEL_ALIGN = dict.fromkeys(Heading.LEVEL_ALIGN, "left")


class _FlatCode(CodeBlock):
    """Code on the panel's colour, without a frame."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        background = console.get_style("markdown.code_block").bgcolor
        yield Syntax(
            str(self.text).rstrip(),
            self.lexer_name,
            theme=_own_code(console) or self.theme,
            word_wrap=True,
            padding=(0, 1),
            background_color=background.name if background else None,
        )


def _own_code(console: Console) -> SyntaxTheme | None:
    """Code in the colours of the app's theme, where that has any for code (see ``theme.rich_theme``)."""
    empty = Style()
    styles = {token: console.get_style(f"code.{name}", default=empty) for name, token in _CODE.items()}
    return ANSISyntaxTheme(styles) if any(styles.values()) else None


class FinishedMarkdown(Markdown):
    """A finished reply. Its colours are those of the console's theme (``theme.markdown_theme``)."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _PlainHeading,
        "fence": _FlatCode,
        "code_block": _FlatCode,
    }

    def __init__(self, text: str, *, dark: bool, signs: Sequence[Sign] = ()) -> None:
        super().__init__("", code_theme=_DARK_CODE if dark else _LIGHT_CODE, hyperlinks=False)
        self.markup = text
        self._signs = signs
        self.parsed = parsed_with_signs(text, signs, chat_markdown().parse)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        drawn = super().__rich_console__(console, options)
        if not self._signs:
            return drawn
        styles = [console.get_style(f"chat.{sign.colour}") for sign in self._signs]
        return painted((one for one in drawn if isinstance(one, Segment)), self._signs, styles)
