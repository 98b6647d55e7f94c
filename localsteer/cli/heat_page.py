"""A text coloured by how far each token leans, as a page that needs nothing beside itself."""

from __future__ import annotations

import html
from collections.abc import Iterator

from localsteer.cli.heat import STRONGEST, Heat, Passage, colour
from localsteer.cli.output import plain


def as_html(heat: Heat) -> str:
    """The page, in HTML."""
    negative, positive = (html.escape(plain(pole)) for pole in heat.poles)
    ramp = "".join(f'<i style="background:{_css(step / 10 * STRONGEST)}"></i>' for step in range(-10, 11))
    passages = "\n".join(
        f"<section><h2>{html.escape(plain(passage.speaker))} "
        f'<b title="mean of its tokens">{passage.mean:+.2f}</b></h2>\n'
        f"<p>{''.join(_html_tokens(passage))}</p></section>"
        for passage in heat.passages
    )
    return _PAGE.format(
        title=f"{html.escape(plain(heat.reading.name))}: {negative} to {positive}",
        name=html.escape(plain(heat.reading.name)),
        negative=negative,
        positive=positive,
        ramp=ramp,
        legend=html.escape(plain(heat.legend)),
        passages=passages,
    )


def _html_tokens(passage: Passage) -> Iterator[str]:
    for text, value in passage.tokens:
        written = html.escape(plain(text))
        yield f'<span title="{value:+.2f}" style="background:{_css(value)}">{written}</span>'


def _css(value: float) -> str:
    return "rgba({}, {}, {}, {})".format(*colour(value))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 17px/1.75 Georgia, serif; }}
body {{ max-width: 44rem; margin: 3rem auto; padding: 0 1.2rem; }}
header, h2 {{ font-family: system-ui, sans-serif; }}
h1 {{ font-size: 1.3rem; margin: 0 0 .6rem; }}
h2 {{ font-size: .85rem; font-weight: normal; opacity: .65; margin: 2rem 0 .2rem; }}
p {{ margin: 0; white-space: pre-wrap; }}
header p {{ font-size: .85rem; opacity: .65; line-height: 1.4; }}
.ramp {{ display: flex; align-items: center; gap: .6rem; font-size: .9rem; }}
.ramp i {{ display: inline-block; width: .7rem; height: 1rem; }}
.ramp span {{ display: flex; }}
section span {{ border-radius: .15rem; }}
</style>
<header>
<h1>{name}</h1>
<div class="ramp">{negative}<span>{ramp}</span>{positive}</div>
<p>{legend}</p>
</header>
{passages}
</html>
"""
