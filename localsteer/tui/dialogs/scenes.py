"""Scenes: the list of them, to recall, save, rename and remove."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from localsteer.errors import LocalsteerError
from localsteer.library.places import Places
from localsteer.library.scenes import Scene, read_scenes
from localsteer.library.scenes_file import (
    LONGEST_NAME,
    RemovedScene,
    remove_scene,
    rename_scene,
    restore_scene,
    save_scene,
)
from localsteer.tui.dialogs.window import Window
from localsteer.tui.plain import plain
from localsteer.tui.strengths import signed

_KEYS = "Enter recall · s save · r rename · Del remove · Esc close"
_NAMING = "Enter keep · Esc leave"


class SceneList(Window[Scene | None]):
    """Gives the scene to recall, or None. ``present``: what is saved under a name that the person gives."""

    DEFAULT_CSS = """
    SceneList {
        & > Vertical { max-height: 90%; }
        & OptionList, & OptionList:focus { height: auto; max-height: 24; border: none; padding: 0; background: $surface;
                       scrollbar-size-vertical: 1; text-wrap: nowrap; text-overflow: ellipsis;
                       background-tint: transparent; }
        & OptionList > .option-list--option { padding: 0 1; }
        & OptionList > .option-list--option-highlighted, & OptionList:focus > .option-list--option-highlighted {
            background: $panel; color: $foreground; text-style: none; }
        & Input, & Input:focus { border: none; height: 1; padding: 0 1; margin: 1 0 0 0; background: $panel; }
        & Static { height: auto; color: $quiet; padding: 0 1; }
        & #problems { color: $warning; margin: 1 0 0 0; }
        & #words { margin: 1 0 0 0; }
        &.-low > Vertical { padding: 0 2; }
    }
    """

    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-high")]  # noqa: RUF012 (as Textual declares it)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,alt+q", "leave", "Close", show=False),
        Binding("s", "save", "Save", show=False),
        Binding("r", "rename", "Rename", show=False),
        Binding("delete,x", "remove", "Remove", show=False),
        Binding("u", "restore", "Bring back", show=False),
        *(Binding(str(number), f"recall({number - 1})", show=False) for number in range(1, 10)),
    ]
    AUTO_FOCUS = "OptionList"

    def __init__(self, places: Places, present: Scene) -> None:
        super().__init__()
        self._places = places
        self._present = present
        self._scenes: tuple[Scene, ...] = ()
        self._renamed: str | None = None
        self._replaces = ""
        self._removed: list[RemovedScene] = []

    def compose(self) -> ComposeResult:
        box = Vertical()
        box.border_title = "Scenes"
        box.border_subtitle = _KEYS
        with box:
            yield OptionList()
            yield Static(Content("No scenes yet. s saves the present dials, sampling and system prompt."), id="empty")
            yield Input(max_length=LONGEST_NAME, select_on_focus=True)
            yield Static(Content(""), id="words")
            yield Static(Content(""), id="problems")

    def on_mount(self) -> None:
        self.query_one(Input).display = False
        self._show()
        self._say("")

    # ------------------------------------------------------------ the list

    def _show(self, name: str = "") -> None:
        """What the file has; ``name`` is highlighted, else what was."""
        options = self.query_one(OptionList)
        present = options.highlighted or 0
        found = read_scenes(self._places)
        self._scenes = found.scenes
        options.clear_options()
        options.add_options([Option(self._row(scene, place)) for place, scene in enumerate(found.scenes)])
        names = [scene.name for scene in found.scenes]
        if names:
            options.highlighted = names.index(name) if name in names else min(present, len(names) - 1)
        options.display = bool(names)
        self.query_one("#empty").display = not names
        problems = self.query_one("#problems", Static)
        problems.update(Content(plain("\n".join(found.problems))))
        problems.display = bool(found.problems)

    def _row(self, scene: Scene, place: int) -> Content:
        number = f"{place + 1} " if place < 9 else "  "
        other = scene.model and self._present.model and scene.model != self._present.model
        return Content.assemble(
            (number, "$primary"),
            (plain(scene.name), "bold"),
            (f"   made with {plain(scene.model)}" if other else "", "$faint"),
            *((f"\n  {plain(line)}", "$quiet") for line in _summary(scene)),
        )

    @property
    def _highlighted(self) -> Scene | None:
        place = self.query_one(OptionList).highlighted
        return self._scenes[place] if place is not None and place < len(self._scenes) else None

    def _say(self, words: str, wrong: bool = False) -> None:
        line = self.query_one("#words", Static)
        line.update(Content.styled(plain(words), "$error" if wrong else "$quiet"))
        line.display = bool(words)

    @on(OptionList.OptionSelected)
    def _selected(self, event: OptionList.OptionSelected) -> None:
        options = self.query_one(OptionList).options
        # The scene may have been removed since, and another one have its place.
        if event.option in options:
            self.action_recall(options.index(event.option))

    def action_recall(self, place: int) -> None:
        """Close, and have this scene."""
        if place < len(self._scenes):
            self.dismiss(self._scenes[place])

    def action_remove(self) -> None:
        """Take the highlighted scene away."""
        scene = self._highlighted
        if scene is None:
            return
        try:
            self._removed.append(remove_scene(self._places, scene.name))
        except LocalsteerError as error:
            self._say(str(error), True)
            return
        self._show()
        self._say(f"{scene.name} is removed; u brings it back.")

    def action_restore(self) -> None:
        """Bring back what was removed last."""
        if not self._removed:
            self._say("Nothing was removed.")
            return
        try:
            restore_scene(self._places, self._removed[-1])
        except LocalsteerError as error:
            self._say(str(error), True)
            return
        name = self._removed.pop().name
        self._show(name)
        self._say(f"{name} is back.")

    # ------------------------------------------------------------ naming

    def action_save(self) -> None:
        """Ask for a name for the present scene."""
        self._ask("", None, "A name for the present dials, sampling and system prompt")

    def action_rename(self) -> None:
        """Ask for another name for the highlighted scene."""
        scene = self._highlighted
        if scene is not None:
            self._ask(scene.name, scene.name, "Another name")

    def _ask(self, name: str, renamed: str | None, words: str) -> None:
        self._renamed, self._replaces = renamed, ""
        field = self.query_one(Input)
        field.value, field.placeholder, field.display = name, words, True
        field.focus()
        self.query_one(Vertical).border_subtitle = _NAMING
        self._say("\n".join(_summary(self._present)) if renamed is None else "")

    @on(Input.Submitted)
    def _named(self, event: Input.Submitted) -> None:
        name = plain(event.value).strip()
        if self._renamed is None and name != self._replaces and name in {scene.name for scene in self._scenes}:
            self._replaces = name
            self._say(f"There is a scene called {name}; Enter again replaces it.")
            return
        try:
            if self._renamed is None:
                save_scene(self._places, replace(self._present, name=name))
            else:
                rename_scene(self._places, self._renamed, name)
        except LocalsteerError as error:
            self._say(str(error), True)
            return
        self._close_field()
        self._show(name)
        self._say(f"{name} is saved." if self._renamed is None else f"It is called {name} now.")

    def action_leave(self) -> None:
        """The name, or the list."""
        if self.query_one(Input).display:
            self._close_field()
            self._say("")
        else:
            self.dismiss(None)

    def _close_field(self) -> None:
        self.query_one(Input).display = False
        self.query_one(Vertical).border_subtitle = _KEYS
        self.query_one(OptionList).focus()


def _summary(scene: Scene) -> list[str]:
    """A scene in at most two lines: its dials, and the rest."""
    lines = []
    if scene.dials is not None:
        dials = [f"{dial.name} {signed(dial.strength)}{'' if dial.on else ' (off)'}" for dial in scene.dials]
        lines.append(" · ".join(dials) or "no dials")
    rest = []
    if scene.sampling is not None:
        seed = "" if scene.sampling.seed is None else f", seed {scene.sampling.seed}"
        rest.append(f"temperature {scene.sampling.temperature:g}{seed}")
    if scene.system_prompt is not None:
        rest.append(f"“{' '.join(scene.system_prompt.split())}”" if scene.system_prompt else "no system prompt")
    return [*lines, " · ".join(rest)] if rest else lines
