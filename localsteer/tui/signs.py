"""Signs in a reply's text where dials were turned while it was written.

They stand in for the Markdown source as characters that nobody writes, so that they end up at the right word whatever
the Markdown around it becomes; what is painted, and left out of what is copied, are small triangles.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from rich.segment import Segment
from rich.style import Style

from localsteer.engine.protocol import DialMark, DialSetting

if TYPE_CHECKING:
    from markdown_it.token import Token

UP, DOWN, BOTH = "▴", "▾", "◆"
_FIRST = 0x10F000
_MOST = 60
"""Of more turns than this the first ones are shown; the line below the reply tells the rest."""
_TRIES = 4
_STAND_INS = {_FIRST + number: None for number in range(_MOST)}
_STAND_IN = re.compile(f"([{chr(_FIRST)}-{chr(_FIRST + _MOST - 1)}])")
_LETTER = re.compile(r"[^\W_]")
_GAP = re.compile(r"[\W_]+")
_META = "sign"

Parse: TypeAlias = "Callable[[str], list[Token]]"


@dataclass(frozen=True, slots=True)
class Sign:
    """``place``: the character of the reply's text before which it stands; ``colour``: its name in the themes."""

    place: int
    glyph: str
    colour: str


def signs_of(marks: Sequence[DialMark], places: Sequence[int]) -> tuple[Sign, ...]:
    """A sign for each mark after the first that changed something; ``places`` as in a reply's record."""
    found: list[Sign] = []
    if not marks or len(places) != len(marks):
        return ()
    ends = [*(mark.start for mark in marks[1:]), None]
    before: dict[str, float] | None = None
    for mark, place, end in zip(marks, places, ends, strict=True):
        if end is not None and end <= mark.start:
            continue
        now = {dial.name: dial.strength for dial in mark.dials}
        if before is not None and mark.start > 0:
            names = [name for name in {**before, **now} if before.get(name, 0.0) != now.get(name, 0.0)]
            if names:
                found.append(_sign(place, [(before.get(name, 0.0), now.get(name, 0.0)) for name in names]))
        before = now
    return tuple(found[:_MOST])


def turned_glyph(before: Sequence[DialSetting], after: Sequence[DialSetting]) -> str:
    """The triangle for dials that were turned; nothing where all stand as they did."""
    old, new = ({dial.name: dial.strength for dial in dials} for dials in (before, after))
    turns = [(old.get(name, 0.0), new.get(name, 0.0)) for name in {**old, **new}]
    turns = [turn for turn in turns if turn[0] != turn[1]]
    return glyph_of(turns) if turns else ""


def glyph_of(turns: Sequence[tuple[float, float]]) -> str:
    """The triangle for strengths before and after."""
    ways = {after > before for before, after in turns}
    return BOTH if len(ways) != 1 else UP if ways.pop() else DOWN


def _sign(place: int, turns: Sequence[tuple[float, float]]) -> Sign:
    after = turns[0][1]
    colour = "primary"
    if len(turns) == 1:
        colour = "pole-positive" if after > 0 else "pole-negative" if after < 0 else "quiet"
    return Sign(place, glyph_of(turns), colour)


# ---------------------------------------------------------------- in Markdown


def without_stand_ins(text: str) -> str:
    """``text`` without characters that would be taken for signs."""
    return text if text.isascii() else text.translate(_STAND_INS)


def parsed_with_signs(text: str, signs: Sequence[Sign], parse: Parse) -> list[Token]:
    """What ``parse`` makes of ``text``, with a stand-in for each sign before the word that it belongs to.

    A sign that would change what the Markdown means moves on to the next word, or is left out.
    """
    text = without_stand_ins(text)
    bare = parse(text)
    if not signs:
        return bare
    form = list(_form(bare))
    signed = _with(text, [(_next_word(text, sign.place), number) for number, sign in enumerate(signs)])
    tokens = parse(signed)
    if list(_form(tokens)) == form:
        return tokens
    kept: list[tuple[int | None, int]] = []
    for number, sign in enumerate(signs):
        at = _next_word(text, sign.place)
        for _ in range(_TRIES):
            if at is None:
                break
            if list(_form(parse(_with(text, [(at, number)])))) == form:
                kept.append((at, number))
                break
            at = _word_after(text, at)
    tokens = parse(_with(text, kept))
    return tokens if list(_form(tokens)) == form else bare


def painted(segments: Iterable[Segment], signs: Sequence[Sign], styles: Sequence[Style]) -> Iterator[Segment]:
    """Segments with triangles instead of the stand-ins; ``styles``: one for each sign."""
    for segment in segments:
        if segment.control or segment.text.isascii():
            yield segment
            continue
        for piece in _STAND_IN.split(segment.text):
            if not _STAND_IN.fullmatch(piece):
                if piece:
                    yield Segment(piece, segment.style)
            elif ord(piece) - _FIRST < len(signs):
                number = ord(piece) - _FIRST
                style = (segment.style or Style()) + styles[number] + Style(meta={_META: True})
                yield Segment(signs[number].glyph, style)


def copied(segments: Iterable[Segment]) -> str:
    """The text of a painted line, as long as that: with stand-ins where signs are, for :func:`without_stand_ins`."""
    return "".join(
        chr(_FIRST) if segment.style is not None and segment.style.meta.get(_META) else segment.text
        for segment in segments
        if not segment.control
    )


def _form(tokens: Iterable[Token]) -> Iterator[tuple[str, str, str, str]]:
    for token in tokens:
        children = token.children
        content = "" if children else without_stand_ins(token.content)
        yield token.type, token.tag, content, without_stand_ins(str(token.attrs))
        if children:
            yield from _form(children)


def _with(text: str, places: Iterable[tuple[int | None, int]]) -> str:
    pieces, done = [], 0
    for at, number in places:
        if at is not None and at >= done:
            pieces += [text[done:at], chr(_FIRST + number)]
            done = at
    return "".join([*pieces, text[done:]])


def _next_word(text: str, place: int) -> int | None:
    """Where the word begins that is written from ``place`` on; in the middle of one, just there."""
    found = _LETTER.search(text, max(0, place))
    return found.start() if found else None


def _word_after(text: str, at: int) -> int | None:
    gap = _GAP.search(text, at)
    return _next_word(text, gap.end()) if gap else None
