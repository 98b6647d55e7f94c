"""What can be wrong with a model beyond its container: figures, vocabulary, chat template."""

from __future__ import annotations

import random
import struct

from tests.hardening.hostile_gguf import ANY_FILE, ARRAY, STRING, Gguf, Mutation, array, strings_of, text

TEMPLATES = (
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% for a in range(99999) %}" * 3 + "x" + "{% endfor %}" * 3,
    "{% for a in range(10**9) %}x{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10**10**10 }}",
    "{{ 9**9**9**9 }}",
    "{{ [0] * 10**9 }}",
    "{{ (0,) * 10**9 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '%*d' % (10**9, 1) }}",
    "{{ '{:1000000000}'.format(1) }}",
    "{{ '{0:{1}}'.format(1, 10**9) }}",
    "{{ 'a'.ljust(10**9) }}",
    "{{ 'a'.center(10**9) }}",
    "{{ 'a'.zfill(10**9) }}",
    "{{ '\\t'.expandtabs(10**9) }}",
    "{{ 'a' | center(10**9) }}",
    "{{ 'a' | indent(10**9, true) }}",
    "{{ ('a' * 9999) | replace('a', 'a' * 9999) | replace('a', 'a' * 9999) }}",
    "{{ ('a' * 9999).replace('a', 'a' * 9999).replace('a', 'a' * 9999) }}",
    "{{ ('a' * 9999) | join('a' * 99999) | join('a' * 9999) }}",
    "{{ ('a' * 99999).join(range(99999) | map('string')) }}",
    "{{ lipsum(n=10**7) }}",
    "{{ lipsum(n=1, min=10**8, max=10**9) }}",
    "{{ messages | tojson(indent=10**9) }}",
    "{{ range(99999) | list | tojson(indent=99999) }}",
    "{{ range(9) | batch(10**9, 0) | list }}",
    "{{ range(9) | slice(10**8) | list }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=2) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x='a') %}{% for i in range(60) %}{% set y %}{{ n.x }}{{ n.x }}{% endset %}"
    "{% set n.x = y %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = n.x + ['a' * 99999] %}{% endfor %}",
    "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x }}",
    "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x | tojson }}",
    "{% set n = namespace(x=[]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}{{ n.x == [n.x] }}",
    "{% set n = namespace(x=[]) %}{% for i in range(99999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
    "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}",
    "{% for m in messages recursive %}{{ loop(messages) }}{% endfor %}",
    "{{ range(99999) | select('in', range(100000, 199999) | list) | list | length }}",
    "{{ range(99999) | selectattr('real', 'in', range(100000, 199999) | list) | list | length }}",
    "{{ range(99999) | map('string') | map('center', 9999) | map('wordcount') | list | length }}",
    "{{ ('\u00fc' * 1900000).encode('idna') }}",
    "{{ ('\u00fca' * 900000).encode(encoding='punycode') }}",
    "{{ ''.__class__.__mro__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ messages.__init__.__globals__ }}",
    "{{ raise_exception.__globals__ }}",
    "{{ strftime_now.__globals__['__builtins__']['open']('/etc/passwd').read() }}",
    "{{ '{0.__class__.__mro__}'.format('a') }}",
    "{{ ('{0.__cla' ~ 'ss__}').format('a') }}",
    "{{ 'a' | attr('__class__') }}",
    "{{ 'a' | attr('format') }}",
    "{{ ['{0.__class__}'] | map('format', 1) | list }}",
    "{{ self.__init__.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ messages.append({'role': 'system', 'content': 'x'}) }}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
    "{% extends 'x' %}",
    "{{ strftime_now('%' * 99999) }}",
    "{{ strftime_now('%9999999d') }}",
    "{{ raise_exception('x' * 99999) }}",
    "{{ raise_exception('two\nlines\x1b[31m') }}",
    "{{ 1 / 0 }}",
    "{{ undefined.x }}",
    "{{ [[]] | sum(start=1) }}",
    "{% for %}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{{ " + "-" * 3000 + "1 }}",
    "{{ " + "1+" * 3000 + "1 }}",
    "{{ 'a'" + ".x" * 3000 + " }}",
    "{% if 1 %}" * 300 + "{% endif %}" * 300,
    "{% for m in messages %}" * 30 + "x" + "{% endfor %}" * 30,
    "{{ messages[0]['content'][::-1] }}",
    "{{ messages[0]['content'] | upper | urlencode }}",
    "{{ messages }}",
    "{{ (messages | string) * 99 }}",
    "\ue000" * 50,
    "\ue0000\ue001\ue0009\ue001",
    "{{ '\ue000' ~ ('9' * 9999) ~ '\ue001' }}",
    "{{ messages | map(attribute='content') | join }}" * 200,
    "{{ range(99999) | map('string') | join('-' * 999) | length }}",
    "{{ ('a' * 99999) | wordwrap(1) | length }}",
    "{{ ('a ' * 49999) | title | wordcount }}",
    "{{ dict(a=1) | dictsort | xmlattr }}",
    "{{ ('<a>' * 9999) | striptags | urlize }}",
    "{{ range(0, 10**18, 10**13) | sum }}",
    "{{ range(99999) | sort(reverse=true) | unique | groupby(0) | list }}",
    "{% set x = cycler(*range(99999)) %}{% for i in range(99999) %}{{ x.next() }}{% endfor %}",
    "x" * 3_000_000,
    "",
    " ",
    "{{ bos_token }}",
    "{{ messages[0].content }}{{ messages[0].content }}",
)
"""Chat templates that loop, grow, dig for Python's inside, or make no sense."""


def _template(rng: random.Random, file: Gguf) -> None:
    file.put("tokenizer.chat_template", STRING, text(rng.choice(TEMPLATES).encode()))


def _tokens(rng: random.Random, file: Gguf) -> None:
    tokens = strings_of(file.raw("tokenizer.ggml.tokens"))
    place, other = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    match rng.randrange(9):
        case 0:
            tokens[place] = tokens[other]
        case 1:
            tokens[place] = b""
        case 2:
            tokens[place] = rng.choice([b"\xff", b"\xe2\x96", b"\xf0\x9f", b"\xed\xa0\x80", b"\xc0\x80"])
        case 3:
            tokens[place] = b"x" * rng.choice([1000, 100_000, 3_000_000])
        case 4:
            tokens = tokens[: rng.choice([0, 1, 10, len(tokens) - 1])]
        case 5:
            tokens += [b"more"] * rng.choice([1, 1000])
        case 6:
            rng.shuffle(tokens)
        case 7:
            tokens[place] = b"a\0b"
        case _:
            tokens = [str(number).encode() for number in range(len(tokens))]
    file.put("tokenizer.ggml.tokens", ARRAY, array(STRING, [text(token) for token in tokens]))


def _merges(rng: random.Random, file: Gguf) -> None:
    if not any(entry[0] == b"tokenizer.ggml.merges" for entry in file.entries):
        return
    merges = strings_of(file.raw("tokenizer.ggml.merges"))
    wrong = [b"", b" ", b"ab", b" a", b"a ", b"a b c", b"zz qq", b"\xff \xfe", b"\xf0\x9f a", b"a" * 9000 + b" b"]
    match rng.randrange(4):
        case 0:
            merges[rng.randrange(len(merges))] = rng.choice(wrong)
        case 1:
            merges = [rng.choice(wrong) for _ in merges]
        case 2:
            merges = merges[: rng.choice([0, 1])]
        case _:
            rng.shuffle(merges)
    file.put("tokenizer.ggml.merges", ARRAY, array(STRING, [text(merge) for merge in merges]))


def _token_figures(rng: random.Random, file: Gguf) -> None:
    n_tokens = len(strings_of(file.raw("tokenizer.ggml.tokens")))
    count = rng.choice([0, 1, n_tokens - 1, n_tokens, n_tokens + 1])
    if rng.random() < 0.5:
        types = [struct.pack("<i", rng.choice([0, 1, 2, 3, 4, 5, 6, 7, -1, 2**31 - 1])) for _ in range(count)]
        file.put("tokenizer.ggml.token_type", ARRAY, array(rng.choice([5, 5, 5, 4, 6]), types))
    else:
        scores = [struct.pack("<f", rng.choice([float("nan"), float("inf"), 0.0, -1e38])) for _ in range(count)]
        file.put("tokenizer.ggml.scores", ARRAY, array(rng.choice([6, 6, 6, 5, 4]), scores))


_IDS = ("bos", "eos", "eot", "eom", "unknown", "seperator", "padding", "mask", "fim_pre", "fim_suf", "fim_mid")


def _ids(rng: random.Random, file: Gguf) -> None:
    number = rng.choice([0, 1, 2, 399, 400, 10**6, 2**31 - 1, 2**31, 2**32 - 1])
    kind = rng.choice([4, 4, 4, 5])
    key = f"tokenizer.ggml.{rng.choice(_IDS)}_token_id"
    file.put(key, kind, struct.pack("<I", number))


def _tokenizer(rng: random.Random, file: Gguf) -> None:
    kinds = [b"gpt2", b"llama", b"bert", b"t5", b"rwkv", b"plamo2", b"none", b"no_vocab", b"whatever", b"hybriddna"]
    pres = [b"llama-bpe", b"default", b"qwen2", b"gpt-4o", b"deepseek-llm", b"tekken", b"bloom", b"none such", b""]
    key, choices = rng.choice([("tokenizer.ggml.model", kinds), ("tokenizer.ggml.pre", pres)])
    if rng.random() < 0.2:
        file.drop(key)
    else:
        file.put(key, STRING, text(rng.choice(choices)))
    for flag in ("add_bos_token", "add_eos_token", "add_space_prefix", "remove_extra_whitespaces"):
        if rng.random() < 0.2:
            file.put(f"tokenizer.ggml.{flag}", 7, bytes([rng.choice([0, 1, 2])]))


_FIGURES = (
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.value_length",
    "attention.sliding_window",
    "rope.dimension_count",
    "rope.scaling.original_context_length",
    "vocab_size",
    "expert_count",
    "expert_used_count",
    "expert_group_count",
    "expert_group_used_count",
    "nextn_predict_layers",
    "embedding_length_out",
    "pooling_type",
    "leading_dense_block_count",
)
_FLOAT_FIGURES = ("attention.layer_norm_rms_epsilon", "rope.freq_base", "rope.scaling.factor", "logit_scale")


def _figures(rng: random.Random, file: Gguf) -> None:
    name = next(
        (bytes(raw)[8:] for key, kind, raw in file.entries if key == b"general.architecture" and kind == STRING),  # type: ignore[call-overload]
        b"llama",
    ).decode("utf-8", "replace")
    draw = rng.random()
    if draw < 0.2:
        number = rng.choice([float("nan"), float("inf"), 0.0, -1.0, 1e-45, 3e38])
        file.put(f"{name}.{rng.choice(_FLOAT_FIGURES)}", 6, struct.pack("<f", number))
    elif draw < 0.3:
        scaling = rng.choice([b"none", b"linear", b"yarn", b"longrope", b"wrong", b""])
        file.put(f"{name}.rope.scaling.type", STRING, text(scaling))
    elif draw < 0.4:
        count = rng.choice([0, 1, 2, 3, 600])
        items = [struct.pack("<I", rng.choice([0, 1, 2, 4, 2**31])) for _ in range(count)]
        file.put(f"{name}.{rng.choice(_FIGURES)}", ARRAY, array(rng.choice([4, 5]), items))
    elif draw < 0.45:
        file.put(f"{name}.attention.causal", 7, b"\0")
    else:
        number = rng.choice([0, 1, 2, 3, 5, 8, 16, 31, 33, 64, 512, 513, 1024, 1025, 65_536, 2**31 - 1, 2**32 - 1])
        file.put(f"{name}.{rng.choice(_FIGURES)}", 4, struct.pack("<I", number))


def _architecture(rng: random.Random, file: Gguf) -> None:
    names = [b"gemma", b"qwen2", b"mamba", b"rwkv7", b"phi3", b"gpt2", b"falcon", b"bert", b"mistral3", b"", b"llama4"]
    new = rng.choice(names)
    for entry in file.entries:
        if entry[0] == b"general.architecture":
            entry[1:] = [STRING, text(new)]
        elif bytes(entry[0]).startswith(b"llama."):  # type: ignore[call-overload]
            entry[0] = new + bytes(entry[0])[5:]  # type: ignore[call-overload]


VOCABULARY: tuple[Mutation, ...] = (_tokens, _tokens, _merges, _token_figures, _ids, _tokenizer)
MODEL: tuple[Mutation, ...] = (*ANY_FILE, *VOCABULARY, _figures, _figures, _figures, _architecture, _template)
BEHIND_THE_HEADER: tuple[Mutation, ...] = (*VOCABULARY, _figures, _figures, _figures, _architecture)
"""Mutations that the container's own rules do not forbid, so that they get as far as llama.cpp."""
