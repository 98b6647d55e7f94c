"""Old messages, folded into one widget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import RenderableType

from localsteer.tui.past import past_page
from localsteer.tui.widgets.selectable import SelectableLines

Past = Callable[[bool], RenderableType]
"""A message as a renderable, for a dark theme or a light one."""


class PastPage(SelectableLines):
    """Some messages that nothing will change any more."""

    DEFAULT_CSS = """
    PastPage { width: 1fr; height: auto; margin: 0 0 1 0; }
    """

    def __init__(self, messages: Sequence[Past], *, dark: bool) -> None:
        self._past = tuple(messages)
        super().__init__(past_page([message(dark) for message in self._past]), markup=False)

    def repaint_for_theme(self) -> None:
        """The colours of code are baked in; bake them again."""
        self.update(past_page([message(self.app.current_theme.dark) for message in self._past]))
