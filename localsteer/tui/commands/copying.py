"""Commands that copy: a message, its code, the conversation, what is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from textual.screen import Screen

from localsteer.errors import StorageError
from localsteer.tui.plain import plain
from localsteer.tui.steady import work_beside
from localsteer.tui.talk import Talk
from localsteer.tui.widgets.messages import ReplyView, UserView
from localsteer.tui.widgets.transcript import Transcript
from localsteer.visible import without_controls

if TYPE_CHECKING:
    from localsteer.tui.app import LocalsteerApp


class CopyCommands(Screen[None]):
    """A part of the chat screen, which makes what is named here."""

    talk: Talk

    def action_copy_message(self) -> None:
        from localsteer.tui.copying import first_words

        text = self._message()
        if text:
            self._copy(text, f"“{first_words(text)}”")
        else:
            self._remark("There is no reply yet that could be copied.")

    def action_copy_code(self) -> None:
        from localsteer.tui.copying import first_words, last_code_block

        code = last_code_block(self._message())
        if code is None:
            self._remark("There is no block of code in that message.")
        else:
            self._copy(code, f"the code “{first_words(code)}”")

    def action_copy_conversation(self) -> None:
        from localsteer.tui.copying import conversation_text

        try:
            messages = [(message.role, message.content) for message in self.talk.whole()]
        except StorageError as error:
            self._remark(str(error))
            return
        if messages:
            text = conversation_text([("system", self.talk.system_prompt), *messages])
            self._copy(text, f"the conversation ({len(messages)} messages)")
        else:
            self._remark("There is no conversation yet that could be copied.")

    def action_copy_selected(self) -> None:
        from localsteer.tui.copying import first_words

        text = self.get_selected_text()
        if text:
            self._copy(text, f"“{first_words(text)}”")
        else:
            self.app.call_later(self.app.run_action, "help_quit")

    # Textual's own name for it, bound to its own keys.
    action_copy_text = action_copy_selected

    def _message(self) -> str:
        """The picked message, else the one under the mouse, else the last reply; nothing where there is none."""
        transcript = self.query_one(Transcript)
        pointed = transcript.view_at_mouse()
        message = self.talk.find(transcript.picked or transcript.id_at_mouse())
        if message is not None:
            return without_controls(message.content)
        if isinstance(pointed, UserView | ReplyView):
            return without_controls(pointed.written)
        replies = self.query(ReplyView)
        return without_controls(replies.last().written) if replies else ""

    def _copy(self, text: str, what: str) -> None:
        from localsteer.tui.clipboard import put, way_words

        async def copy() -> None:
            way = await put(cast("LocalsteerApp", self.app), text)
            self._remark(f"Copied {what} {way_words(way)}.")

        work_beside(self, copy)

    def _remark(self, text: str) -> None:
        self.notify(plain(text), markup=False)
