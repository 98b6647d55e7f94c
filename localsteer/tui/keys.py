"""Everything the app can be told to do, in one table: bindings, palette, key help and keymap are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Group: TypeAlias = Literal["Talking", "Dials", "App"]
GROUPS: tuple[Group, ...] = ("Talking", "Dials", "App")


@dataclass(frozen=True, slots=True)
class Command:
    """One thing to do.

    ``keys`` in Textual's words; after the first come those for terminals that swallow it. ``panel_keys`` do it while
    the dials have the focus. ``named``: what the settings call it where the action has parameters; ``app.`` before an
    action: it works over every dialog, too.
    """

    action: str
    title: str
    help: str
    group: Group
    keys: tuple[str, ...] = ()
    panel_keys: tuple[str, ...] = ()
    in_palette: bool = True
    named: str = ""

    @property
    def id(self) -> str:
        """What the settings call it."""
        return self.named or self.action.removeprefix("app.")


COMMANDS: tuple[Command, ...] = (
    Command("stop", "Stop", "Stop the reply, or the making of a vector", "Talking", ("escape",)),
    Command(
        "again",
        "Write the reply again",
        "Answer the last message once more, under the present dials",
        "Talking",
        ("ctrl+r",),
    ),
    Command(
        "again_afresh",
        "Read all again, then write again",
        "Again, with earlier replies read under the present dials instead of those they were written with",
        "Talking",
        ("alt+r",),
    ),
    Command(
        "pick_message(-1)",
        "Previous message",
        "Pick the message before; what is done to a message is done to the picked one",
        "Talking",
        ("alt+u",),
        in_palette=False,
        named="previous_message",
    ),
    Command(
        "pick_message(1)",
        "Next message",
        "Pick the message after; after the last one none is picked",
        "Talking",
        ("alt+j",),
        in_palette=False,
        named="next_message",
    ),
    Command(
        "again_exactly",
        "Again exactly as it was",
        "Write the picked reply once more with its own model, seed and dials, and compare it with the record",
        "Talking",
        ("alt+g",),
    ),
    Command("edit_message", "Edit my message", "Change what you said; that begins a new branch", "Talking", ("alt+e",)),
    Command(
        "alternative(-1)",
        "Previous alternative",
        "Show the alternative before, with all that followed it",
        "Talking",
        ("alt+comma",),
        named="previous_alternative",
    ),
    Command(
        "alternative(1)",
        "Next alternative",
        "Show the alternative after, with all that followed it",
        "Talking",
        ("alt+full_stop",),
        named="next_alternative",
    ),
    Command(
        "continue_here",
        "Go on from here",
        "Go on from the picked message: what you say next begins a branch below it (Enter, while the input is empty)",
        "Talking",
    ),
    Command("delete_message", "Delete the message", "Delete it, with all that follows it", "Talking", ("alt+w",)),
    Command(
        "undo",
        "Undo",
        "Have back what was deleted, or go on where the conversation went on before",
        "Talking",
        ("ctrl+z",),
    ),
    Command(
        "conversations",
        "Conversations",
        "All conversations: search, open, rename, pin, archive, delete, export, import",
        "Talking",
        ("ctrl+o",),
    ),
    Command("new_chat", "New chat", "Begin another conversation; this one stays saved", "Talking", ("ctrl+n",)),
    Command(
        "system_prompt",
        "System prompt",
        "Edit the system prompt: what the model is told first",
        "Talking",
        ("ctrl+s", "f8"),
    ),
    Command(
        "sampling",
        "Sampling",
        "How words are drawn: temperature, seed, length and the like",
        "Talking",
        ("ctrl+g",),
    ),
    Command(
        "see_tokens",
        "See what each word leans to",
        "Colour each word said so far by how far it leans along a dial",
        "Talking",
        ("alt+v", "f12"),
    ),
    Command(
        "compare",
        "Compare side by side",
        "Answer the last message side by side: steered and unsteered, or at several strengths of a dial",
        "Talking",
        ("alt+c",),
    ),
    Command(
        "copy_message",
        "Copy the reply",
        "Copy the last reply, or the message under the mouse",
        "Talking",
        ("alt+y", "f10"),
    ),
    Command("copy_code", "Copy the code", "Copy that message's last block of code", "Talking", ("alt+k",)),
    Command("copy_conversation", "Copy the conversation", "Copy all messages as Markdown", "Talking", ("alt+o",)),
    Command(
        "copy_selected",
        "Copy what is selected",
        "Copy what the mouse has selected",
        "Talking",
        ("ctrl+c", "super+c"),
        in_palette=False,
    ),
    Command("scroll_back", "Scroll back", "Scroll the conversation back", "Talking", ("pageup",)),
    Command(
        "scroll_on",
        "Scroll on",
        "Scroll on; at the end it follows what comes",
        "Talking",
        ("pagedown",),
    ),
    Command(
        "add_dial",
        "Add a dial",
        "Add a dial from the recipes; its vector is made on the spot if need be",
        "Dials",
        ("alt+a", "f7"),
        ("n",),
    ),
    Command(
        "turn(1)",
        "Turn up",
        "Turn the picked dial towards its right pole",
        "Dials",
        ("alt+right", "f5"),
        ("right", "plus"),
        named="turn_up",
    ),
    Command(
        "turn(-1)",
        "Turn down",
        "Turn the picked dial towards its left pole",
        "Dials",
        ("alt+left", "f4"),
        ("left", "minus"),
        named="turn_down",
    ),
    Command(
        "turn_finely(1)",
        "Turn up finely",
        "A little of that to the right",
        "Dials",
        ("alt+shift+right",),
        ("shift+right",),
        named="turn_up_finely",
    ),
    Command(
        "turn_finely(-1)",
        "Turn down finely",
        "A little of that to the left",
        "Dials",
        ("alt+shift+left",),
        ("shift+left",),
        named="turn_down_finely",
    ),
    Command(
        "jump(1)",
        "Jump up",
        "Jump to zero, or to what is recommended for the right pole",
        "Dials",
        ("alt+up",),
        ("end",),
        named="jump_up",
    ),
    Command(
        "jump(-1)",
        "Jump down",
        "Jump to zero, or to what is recommended for the left pole",
        "Dials",
        ("alt+down",),
        ("home",),
        named="jump_down",
    ),
    Command(
        "type_strength",
        "Type a strength",
        "Type a number for the picked dial",
        "Dials",
        ("alt+equals_sign",),
        ("equals_sign",),
    ),
    Command(
        "pick_next(1)",
        "Next dial",
        "Pick the next dial",
        "Dials",
        ("f3", "alt+pagedown"),
        ("down",),
        named="next_dial",
    ),
    Command(
        "pick_next(-1)",
        "Previous dial",
        "Pick the dial before",
        "Dials",
        ("f2", "alt+pageup"),
        ("up",),
        named="previous_dial",
    ),
    Command("mute", "Mute dial", "Mute the picked dial, and let it speak again", "Dials", ("alt+m",), ("m",)),
    Command("solo", "Solo dial", "Solo: the picked dial alone, and all of them again", "Dials", ("alt+s",), ("s",)),
    Command("zero", "Zero dial", "Set the picked dial to 0", "Dials", ("alt+0",), ("0",)),
    Command("zero_all", "Zero all dials", "Set every dial to 0: the model as it is", "Dials", ("alt+z",), ("z",)),
    Command(
        "remove_dial",
        "Remove dial",
        "Remove the picked dial; its vector is kept",
        "Dials",
        ("alt+x",),
        ("x", "delete"),
    ),
    Command(
        "show_place",
        "Layers and scope",
        "On which layers the picked dial acts, and on what: the reply, everything, the prompt's start",
        "Dials",
        ("alt+l",),
        ("l",),
        named="layers_and_scope",
    ),
    Command(
        "move_dial(-1)",
        "Move dial up",
        "Put the picked dial one place up",
        "Dials",
        ("alt+shift+up",),
        ("shift+up",),
        named="move_dial_up",
    ),
    Command(
        "move_dial(1)",
        "Move dial down",
        "Put the picked dial one place down",
        "Dials",
        ("alt+shift+down",),
        ("shift+down",),
        named="move_dial_down",
    ),
    Command(
        "undo_dials",
        "Undo a dial's change",
        "Take back what was done to the dials last; many turns of one dial count as one",
        "Dials",
        ("alt+p",),
        ("u",),
    ),
    Command(
        "redo_dials",
        "Redo a dial's change",
        "Do again what was taken back",
        "Dials",
        ("alt+shift+p",),
        ("U",),
    ),
    Command(
        "toggle_needles",
        "Needles",
        "Let each dial show how far the text itself leans while it is written, or not",
        "Dials",
        ("alt+n",),
        ("w",),
    ),
    Command(
        "show_card",
        "Show the dial's card",
        "What is known of the picked dial's vector: layers, prompts, effect, tokens, likeness",
        "Dials",
        ("alt+i",),
        ("i",),
    ),
    Command(
        "scenes",
        "Scenes",
        "Dials, sampling and system prompt under a name: recall them, or save the present ones",
        "Dials",
        ("alt+q",),
        ("q",),
    ),
    Command(
        "workshop",
        "Workshop",
        "Make a dial of your own: from a word, two words, two personas or a table of pairs",
        "Dials",
        ("alt+h",),
        ("h",),
    ),
    Command("toggle_panel", "Show or hide the dials", "Hide the dials, or show them", "Dials", ("alt+d",)),
    Command(
        "focus_dials", "Into the dials, and back", "Go into the dials, where plain keys do, and back", "Dials", ("f6",)
    ),
    Command("models", "Models", "Choose another model, or download one; the conversation stays", "App", ("ctrl+l",)),
    Command("keys_help", "Keys", "This page", "App", ("f1",)),
    Command("toggle_theme", "Light or dark", "Change between the light and the dark theme", "App", ("ctrl+t", "f9")),
    Command(
        "next_theme", "Next theme", "Ordinary colours, high contrast, the terminal's 16 colours", "App", ("alt+t",)
    ),
    Command("app.command_palette", "Commands", "All commands", "App", ("ctrl+p",), in_palette=False),
    Command("app.quit", "Quit", "Quit; everything is saved", "App", ("ctrl+q",), in_palette=False),
)
