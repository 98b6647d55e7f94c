"""The chosen path of a conversation as one HTML page that needs nothing beside itself: no script, nothing fetched."""

from __future__ import annotations

import html

from markdown_it import MarkdownIt

from localsteer.chat.conversation import Conversation, StoredMessage
from localsteer.chat.foot import day_and_time, foot_of, speaker
from localsteer.visible import without_controls


def as_html(conversation: Conversation) -> str:
    """All messages of ``conversation``. Replies are shown as the Markdown they are, what the person said as text;
    HTML in either is shown and never obeyed, and pictures are not fetched.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable("image")
    system_prompt = without_controls(conversation.system_prompt).strip()
    return _PAGE.format(
        title=html.escape(" ".join(without_controls(conversation.title or "Conversation").split())),
        when=html.escape(day_and_time(conversation.created)),
        system=f'<p class="system" dir="auto">{html.escape(system_prompt)}</p>' if system_prompt else "",
        messages="\n".join(_section(message, markdown) for message in conversation.messages),
    )


def _section(message: StoredMessage, markdown: MarkdownIt) -> str:
    text = without_controls(message.content)
    if message.role == "assistant":
        body = f'<div class="text" dir="auto">{markdown.render(text)}</div>'
    else:
        body = f'<p class="text said" dir="auto">{html.escape(text)}</p>'
    foot = foot_of(message)
    return (
        f'<section class="{message.role}"><h2 dir="auto">{html.escape(speaker(message))}</h2>\n{body}'
        + (f'\n<p class="foot">{html.escape(foot)}</p>' if foot else "")
        + "</section>"
    )


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer">
<meta http-equiv="Content-Security-Policy"
content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>{title}</title>
<style>
:root {{
  color-scheme: light dark;
  --paper: #fdfcfa; --ink: #23211e; --quiet: #7a746b; --line: #e6e1d8; --mine: #f1ece3; --accent: #a4501f;
  font: 17px/1.65 Charter, "Iowan Old Style", Georgia, serif;
}}
@media (prefers-color-scheme: dark) {{
  :root {{
    --paper: #191817; --ink: #e4dfd6; --quiet: #958e83; --line: #34312d; --mine: #262421; --accent: #e39a6c;
  }}
}}
body {{ background: var(--paper); color: var(--ink); max-width: 42rem; margin: 3.5rem auto 5rem; padding: 0 1.2rem; }}
h1 {{ font-size: 1.6rem; line-height: 1.25; margin: 0; text-wrap: balance; }}
h2, .foot, header p {{ font-family: system-ui, sans-serif; }}
header {{ border-bottom: 1px solid var(--line); padding-bottom: 1.2rem; }}
header p {{ color: var(--quiet); font-size: .85rem; margin: .4rem 0 0; }}
.system {{ white-space: pre-wrap; border-left: 3px solid var(--accent); padding-left: .8rem; }}
section {{ margin: 1.8rem 0; overflow-wrap: anywhere; }}
section > h2 {{ font-size: .78rem; font-weight: 600; letter-spacing: .03em; color: var(--accent); margin: 0 0 .3rem; }}
section.user > h2 {{ color: var(--quiet); }}
.said {{ white-space: pre-wrap; background: var(--mine); border-radius: .7rem; padding: .7rem 1rem; margin: 0; }}
.text > :first-child {{ margin-top: 0; }}
.text > :last-child {{ margin-bottom: 0; }}
.text :is(h1, h2, h3, h4) {{ font-size: 1.05rem; margin: 1.2rem 0 .3rem; }}
.foot {{ color: var(--quiet); font-size: .76rem; margin: .5rem 0 0; font-variant-numeric: tabular-nums; }}
pre {{ background: var(--mine); border-radius: .5rem; padding: .8rem 1rem; overflow-x: auto; line-height: 1.45; }}
code {{ font: .86em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }}
:not(pre) > code {{ background: var(--mine); border-radius: .25rem; padding: .1rem .3rem; }}
blockquote {{ border-left: 3px solid var(--line); margin: 1rem 0; padding-left: 1rem; color: var(--quiet); }}
table {{ border-collapse: collapse; }}
td, th {{ border: 1px solid var(--line); padding: .25rem .6rem; text-align: left; }}
a {{ color: var(--accent); }}
@media print {{ body {{ margin: 0 auto; }} section {{ break-inside: avoid-page; }} }}
</style>
</head>
<body>
<header>
<h1 dir="auto">{title}</h1>
<p>{when}</p>
{system}
</header>
<main>
{messages}
</main>
</body>
</html>
"""
