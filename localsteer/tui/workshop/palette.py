"""What can be done in the workshop, for the command palette."""

from __future__ import annotations

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

_COMMANDS = (
    ("Make the vector", "From what is typed on this way", "make"),
    ("Try it", "Answer the message at both ends and without the dial", "try_out"),
    ("Use it", "Put the dial on the panel and go back to the chat", "use"),
    ("Save as recipe", "So that any model can have the dial", "save"),
    ("Show its card", "All that is known of the vector", "show_card"),
    ("Let the model write", "Statements about the word and its opposite", "write"),
    ("One word", "This way to a dial", "way(0)"),
    ("Two words", "This way to a dial", "way(1)"),
    ("Two personas", "This way to a dial", "way(2)"),
    ("Table of pairs", "This way to a dial", "way(3)"),
    ("Back to the chat", "What you typed is kept until the app ends", "leave"),
)


class WorkshopCommandList(Provider):
    """All of them at once, and those that match what is typed."""

    async def discover(self) -> Hits:
        for title, words, action in _COMMANDS:
            yield DiscoveryHit(title, self._run(action), help=words)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, words, action in _COMMANDS:
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), self._run(action), help=words)

    def _run(self, action: str) -> partial[None]:
        # The palette has to be gone first: an action works on the screen that is shown.
        return partial(self._later, action)

    def _later(self, action: str) -> None:
        self.app.call_later(self.screen.run_action, action)
