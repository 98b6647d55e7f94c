"""Model text as Markdown, alike while it streams (Textual widgets) and when it is finished (one Rich renderable)."""

from __future__ import annotations

from typing import ClassVar

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.syntax import Syntax

_DARK_CODE = "nord"
_LIGHT_CODE = "friendly"


def chat_markdown() -> MarkdownIt:
    """A Markdown parser for what models write: HTML is text like any other, and a line end is a line end."""
    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
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
        theme = self.theme
        if background is not None and background.is_system_defined:
            # Among the terminal's own 16 colours the code keeps to them.
            theme = "ansi_dark" if theme == _DARK_CODE else "ansi_light"
        yield Syntax(
            str(self.text).rstrip(),
            self.lexer_name,
            theme=theme,
            word_wrap=True,
            padding=(0, 1),
            background_color=background.name if background else None,
        )


class FinishedMarkdown(Markdown):
    """A finished reply. Its colours are those of the console's theme (``theme.markdown_theme``)."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _PlainHeading,
        "fence": _FlatCode,
        "code_block": _FlatCode,
    }

    def __init__(self, text: str, *, dark: bool) -> None:
        super().__init__("", code_theme=_DARK_CODE if dark else _LIGHT_CODE, hyperlinks=False)
        self.markup = text
        self.parsed = chat_markdown().parse(text)
