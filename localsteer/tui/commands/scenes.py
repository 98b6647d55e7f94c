"""Commands on scenes: the list, and what is recalled from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localsteer.tui.commands.talking import TalkCommands
from localsteer.tui.greeting import shown_name
from localsteer.tui.plain import plain
from localsteer.tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from localsteer.library.scenes import Scene


class SceneCommands(TalkCommands):
    """A part of the chat screen; a scene speaks of the conversation, too."""

    def action_scenes(self) -> None:
        from localsteer.tui.dialogs.scenes import SceneList

        self.app.push_screen(SceneList(self.dialling.places, self._present()), self._chosen)

    def _present(self) -> Scene:
        """How things stand, without a name."""
        from localsteer.library.scenes import Scene
        from localsteer.tui.dial_shelf import scene_dials

        return Scene(
            "",
            scene_dials(self.dialling.rack),
            self.conversing.sampling,
            self.talk.system_prompt,
            shown_name(self.link.card) if self.link.card else "",
        )

    def _chosen(self, scene: Scene | None) -> None:
        if scene is not None:
            self.call_later(self.recall_scene, scene)

    async def recall_scene(self, scene: Scene) -> None:
        """All that ``scene`` says, as far as it can be had; what cannot is noted in the transcript."""
        name = plain(scene.name)
        if self.link.card is None:
            self.notify(f"{name} can be recalled once the model is loaded.", markup=False)
            return
        if scene.sampling is not None:
            self.conversing.sampling = scene.sampling
        if scene.system_prompt is not None and scene.system_prompt != self.talk.system_prompt:
            await self.set_system_prompt(scene.system_prompt)
        problems = () if scene.dials is None else await self.dialling.recall(scene.dials)
        for problem in problems:
            await self.query_one(Transcript).add_note(f"Scene {name}: {problem}", "warning")
        self.notify(f"{name} is recalled{', as far as it can be' if problems else ''}.", markup=False)
