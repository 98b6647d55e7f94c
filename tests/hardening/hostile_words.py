"""What comes without a file of its own: typed, pasted, given on the command line, streamed by a model; chat templates.

Each kind is kept in a file all the same, so that it is spoilt and counted like the others.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

from rich.console import Console

from localsteer.chat.snippets import folded, snippet, words_pattern
from localsteer.chat.store import ConversationStore
from localsteer.library.hub_names import check_file, choose_file, read_hub_name
from localsteer.library.names import suggested_name
from localsteer.library.pasted_pairs import pairs_in
from localsteer.llama import template_sandbox
from localsteer.llama.template_text import ChatTemplate, TemplateRefusal
from localsteer.steering.expression_parser import parse_expression
from localsteer.steering.expressions import read_layers, written_layers
from localsteer.tui.growing import Growing
from localsteer.tui.markdown import FinishedMarkdown
from localsteer.tui.plain import PlainStream, plain
from localsteer.tui.slash import Typed, as_message, completions, is_slash, read_slash
from localsteer.visible import json_escaped, with_controls_marked, without_controls
from tests.hardening.hostile_kinds import Kind, Use
from tests.hardening.hostile_models import TEMPLATES
from tests.hardening.hostile_texts import STRINGS, spoilt_text
from tests.hardening.outcomes import check_sentence

_TEMPLATE_SECONDS = 0.05
_SCREEN = Console(width=40, color_system=None, legacy_windows=False)


def _typed(use: Callable[[str], object]) -> Use:
    """``use`` of the text in a file; what is no UTF-8 arrives as it does on the command line."""
    return lambda path: use(path.read_bytes().decode("utf-8", "surrogateescape"))


def _kind(name: str, sound: tuple[str, ...], *uses: Callable[[str], object]) -> Kind:
    texts = tuple(text.encode() for text in sound)
    return Kind(name, "words.txt", texts, _spoilt_words, tuple(map(_typed, uses)))


def _spoilt_words(rng: random.Random, content: bytes) -> bytes:
    """As texts are spoilt, or with one that is hostile by itself put in."""
    if rng.random() < 0.7:
        return spoilt_text(rng, content)
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(STRINGS)[:2000].encode("utf-8", "surrogatepass") + content[at:]


# ---------------------------------------------------------------- dials


def _expression(text: str) -> None:
    found = parse_expression(text)
    written = str(found)
    if len(written) <= 2000:  # numbers are written out
        assert parse_expression(written) == found, f"{text!r} is written as {written!r}"
    assert all(found.names), f"{text!r} has a vector without a name"


def _layers(text: str) -> None:
    found = read_layers(text)
    assert read_layers(written_layers(found)) == found


EXPRESSION = _kind(
    "expression",
    (
        "mood*1.2 - 0.5*register @layers 7-9",
        "mood without register",
        "-(mood + sea)*2 without 'a b' @scope everything @layers 1,3-4",
        '"/a/b.gguf" − 1e-3×é.x_1',
    ),
    _expression,
)
LAYERS = _kind("layers", ("7-9", "7,9", "1-2,4,6-9"), _layers)

# ---------------------------------------------------------------- names, pairs, commands


def _hub_name(text: str) -> None:
    found = read_hub_name(text)
    assert read_hub_name(str(found)) == found
    choose_file(found, ("a/small-Q4_K_M.gguf", "small-Q8_0.gguf"))
    if found.file.endswith(".gguf"):
        check_file(found.file)
        assert ".." not in Path(found.file).parts
        assert not Path(found.file).is_absolute()


def _pairs(text: str) -> None:
    for pair in pairs_in(text):
        assert any(pair), "an empty row"
        assert not any("\n" in cell for cell in pair)


def _slash(text: str) -> None:
    as_message(text)
    if is_slash(text):
        found = read_slash(text)
        if not isinstance(found, Typed):
            assert found.strip()
    for one in completions(text, {"dial": [("mood", "sad ↔ happy"), ("Love/Hate", "")], "theme": [("dark", "")]}):
        assert is_slash(one.text)


def _name(text: str) -> None:
    name = suggested_name(text)
    assert len(name) <= 40
    assert not set(name) & set("/\\.\0\n ")


HUB_NAME = _kind(
    "hub name",
    (
        "org/repo:file.gguf",
        "hf.co/org/repo:Q4_K_M",
        "https://huggingface.co/org/repo/resolve/main/a/b.gguf?download=true",
        "org/repo",
    ),
    _hub_name,
)
PAIRS = _kind("pasted pairs", ("a\tb\nc\td\n", "good | bad\nbetter | worse\n", "yes\nno\nmaybe\n"), _pairs)
SLASH = _kind("slash command", ("/dial mood 1.5", "/theme dark", "//not one", "/hlep", "/seed random"), _slash, _name)

# ---------------------------------------------------------------- what is shown


def _visible(text: str) -> None:
    for shown in (without_controls(text), with_controls_marked(text)):
        assert without_controls(shown) == shown, repr(text)
        shown.encode()
    document = json.dumps([text], ensure_ascii=False)
    assert json.loads(json_escaped(document)) == [text]


def _streamed(text: str) -> None:
    """The text as Markdown in uneven pieces: what stays of it stays, and at the end it is what the whole is."""
    growing, clean = Growing(dark=True), PlainStream()
    growing.draw_for(_SCREEN, _SCREEN.options)
    pieces, at = random.Random(len(text)), 0
    while at < len(text):
        step = pieces.choice([1, 3, 20, 200])
        before = [growing.line(y) for y in range(growing.height)]
        first = growing.add(clean.feed(text[at : at + step]))
        assert [growing.line(y) for y in range(first)] == before[:first], "a line changed that was said to stay"
        at += step
    growing.add(clean.rest())
    assert growing.text == plain(text)
    _SCREEN.render_lines(FinishedMarkdown(plain(text), dark=True), pad=False)


MARKDOWN = (
    "A paragraph with **bold** and `code`,\nand a second line.\n\n# A heading\n\n- one\n  - inside\n\n1. first\n2. b\n",
    "> quoted\n> twice\n\n```python\ndef f(x):\n    return x\n```\n\n---\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n",
    "[a](b 'c') ![d](e) <https://f.g> ~~h~~ \\* &amp; [i]\n\n[i]: j\n\nk\n===\n\n* l\n\n  m\n\n      n\n",
)
VISIBLE = _kind("shown text", ("a\x1b[31mb\x1b]0;t\x07\u202ec\u0301\r\n\u2028", "plain", "e\u0301\u200dx"), _visible)
STREAMED = _kind("streamed Markdown", MARKDOWN, _streamed)

# ---------------------------------------------------------------- searching


class Searched:
    """Conversations that are searched for whatever was typed."""

    def __init__(self, folder: Path) -> None:
        self._store = ConversationStore(folder / "searched.sqlite3")
        talk = self._store.new_conversation("Be kind.")
        parent = None
        for said in ("Hello there, über Gärten", '日本語の文 and C++ "quoted" 100% a_b', "NEAR(x) OR -y* ^z : {k}"):
            parent = self._store.add_message(talk.id, "user", said, parent).id
        self._store.set_title(talk.id, "Gardens")

    def _find(self, text: str) -> None:
        for hit in self._store.search(text):
            assert "".join(piece for piece, _ in hit.snippet).strip("…") or not hit.title
        words = text.split()[:40]
        if words:
            snippet(text, words_pattern(words))
        assert len(folded(text)) == len(text)

    def kind(self) -> Kind:
        """What is typed into the search."""
        return _kind(
            "search", ("gardens hello", '"quoted" NEAR(x', "über", "日本", "100% a_b", "C++ -y* ^z"), self._find
        )


# ---------------------------------------------------------------- chat templates


def template_of(source: str) -> ChatTemplate:
    """The chat template of a model that has nothing else."""
    model = SimpleNamespace(
        name="Small",
        begin_token=1,
        end_token=2,
        token_text=lambda token: f"<{token}>",
        metadata={"tokenizer.chat_template": source},
    )
    return ChatTemplate(model)  # type: ignore[arg-type]


def _template(text: str) -> None:
    with patch.object(template_sandbox, "SECONDS", _TEMPLATE_SECONDS):
        template = template_of(text)
        for roles in (("user",), ("system", "user", "assistant", "user")):
            try:
                frame = template.frame(roles, True)
            except TemplateRefusal as refusal:
                check_sentence(str(refusal))
            else:
                assert sorted(set(frame.order)) == list(range(len(roles)))
                assert len(frame.texts) == len(frame.order) + 1


SOUND_TEMPLATES = (
    "{{- bos_token }}{%- for message in messages %}{{- '<|' + message['role'] + '|>' + message['content'] | trim }}"
    "{%- endfor %}{%- if add_generation_prompt %}{{- '<|assistant|>' }}{%- endif %}",
    "{%- set ns = namespace(found=false, text='') -%}{%- if messages[0]['role'] == 'system' -%}{%- set rest = "
    "messages[1:] -%}{%- else -%}{%- set rest = messages -%}{%- endif -%}{%- for m in rest | list -%}"
    "{%- set ns.text = ns.text ~ loop.index0 ~ '=' * 3 -%}{{ '<|%s|>' % m.role }}{{ m['content'] | trim }}"
    "{{ '{}\\n'.format('') }}{%- if loop.last and add_generation_prompt -%}{{ '<|a|>' }}{%- endif -%}{%- endfor -%}"
    "{{ [1, 2][0] }}{{ {'a': 'b'} | tojson }}{{ ('a', 'b') | join(', ') }}{{ ns.text | length }}",
    "{% macro say(m, n=1) %}{{ m.content | replace('a', 'b') | upper | indent(n) }}{% endmacro %}"
    "{% for m in messages if m.role != 'tool' recursive %}{% if m is mapping and m.content is string %}{{ say(m) }}"
    "{% elif not m %}{{ raise_exception('no') }}{% else %}{% continue %}{% endif %}{% endfor %}"
    "{{ strftime_now('%Y') }}{% filter lower %}{{ range(3) | map('string') | sort | batch(2) | list }}{% endfilter %}"
    "{% call(x) say({'content': 'a'}) %}{{ x }}{% endcall %}",
    *(source for source in TEMPLATES if len(source) < 200 and re.search(r"\d\d", source) is None),
)
TEMPLATE = _kind("chat template", SOUND_TEMPLATES, _template)

WORDS = (EXPRESSION, LAYERS, HUB_NAME, PAIRS, SLASH, VISIBLE, STREAMED, TEMPLATE)
