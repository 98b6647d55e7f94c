"""A model's chat template is a stranger's program: it ends in time, stays small, and sees nothing of Python."""

from __future__ import annotations

import time

import pytest

from localsteer.errors import ModelError
from localsteer.llama import template_sandbox
from localsteer.llama.template_text import TemplateRefusal
from tests.hardening.hostile_models import TEMPLATES
from tests.hardening.hostile_words import template_of
from tests.hardening.outcomes import MOST_MEMORY, check_sentence, peak_memory

ROLES = ("user", "assistant", "user")


def outcome(source: str) -> str:
    """The frame's text, or the sentence in its place."""
    try:
        return "".join(template_of(source).frame(ROLES, True).texts)
    except (ModelError, TemplateRefusal) as error:
        check_sentence(str(error))
        return str(error)


def test_each_hostile_template_ends_in_time_and_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "SECONDS", 0.05)
    before = peak_memory()
    for source in TEMPLATES:
        began = time.thread_time()
        found = outcome(source)
        assert time.thread_time() - began < 10, source[:200]
        assert "root:" not in found
        assert "uid=" not in found
        assert "<class" not in found
        assert "<built-in" not in found
    assert peak_memory() - before < MOST_MEMORY // 8


@pytest.mark.soak
def test_so_does_each_with_all_the_time_it_may_have() -> None:
    for source in TEMPLATES:
        began = time.thread_time()
        outcome(source)
        assert time.thread_time() - began < 10, source[:200]


def test_loops_within_loops_are_ended_and_not_begun_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(template_sandbox, "SECONDS", 0.05)
    endless = template_of("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}")
    for _ in range(3):
        with pytest.raises(ModelError, match=r"computes for more than .* take another file of this model"):
            endless.frame(ROLES, True)


@pytest.mark.parametrize("source", ["{{ 'a' * 10**10 }}", "{{ 'a'.center(10**9) }}", "{{ 'a' | center(10**9) }}"])
def test_what_would_be_too_large_is_not_even_made(source: str) -> None:
    with pytest.raises(ModelError, match="makes too much text"):
        template_of(source).frame(ROLES, True)


def test_what_templates_of_real_models_do_is_allowed() -> None:
    source = (
        "{%- set ns = namespace(found=false, text='') -%}"
        "{%- if messages[0]['role'] == 'system' -%}{%- set rest = messages[1:] -%}"
        "{%- else -%}{%- set rest = messages -%}"
        "{%- endif -%}{%- for message in rest | list -%}"
        "{%- set ns.text = ns.text ~ loop.index0 ~ '=' * 3 -%}"
        "{{ '<|%s|>' % message.role }}{{ message['content'] | trim }}{{ '{}\\n'.format('') }}"
        "{%- if loop.last and add_generation_prompt -%}{{ '<|assistant|>' }}{%- endif -%}{%- endfor -%}"
        "{{ [1, 2][0] }}{{ {'a': 'b'} | tojson }}{{ ('a', 'b') | join(', ') }}{{ ns.text | length }}"
    )
    assert template_of(source).frame(ROLES, True).texts == (
        "<|user|>",
        "\n<|assistant|>",
        "\n<|user|>",
        '\n<|assistant|>1{"a": "b"}a, b12',
    )


def test_a_long_conversation_is_no_hostile_template() -> None:
    source = (
        "{% for m in messages %}{{ '<' + m.role + '>' + m.content + '\\n' }}"
        "{% if loop.index0 == messages | length %}x{% endif %}{% endfor %}"
    )
    assert len(template_of(source).frame(("user", "assistant") * 2000, True).order) == 4000
