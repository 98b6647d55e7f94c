"""Prompts that pull towards neither pole: the user messages that both sides of a contrast set share, or everyday
ones."""

from __future__ import annotations

from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair, ContrastSet, Prompt

EVERYDAY = (
    "Tell me about music.",
    "What do you think about gardens?",
    "How was your weekend?",
    "I was thinking about travel today.",
    "What should I cook tonight?",
    "Let us talk about books.",
)
EVERYDAY_TEXTS = (
    "The weather this morning was",
    "My neighbour told me that",
    "In the evening we went to",
    "The book that I read last week",
    "There is a small shop where",
    "When I was young, I",
)


def neutral_prompts(contrast: ContrastSet, count: int = len(EVERYDAY)) -> tuple[Prompt, ...]:
    """``count`` prompts of the kind that ``contrast`` holds, chat or plain text; the same ones every time.

    A question with two answers to choose from is answered by one letter, which shows nothing; such pairs give no
    prompts.
    """
    if all(isinstance(pair.positive, str) for pair in contrast.pairs):
        return EVERYDAY_TEXTS[:count]
    shared = list(dict.fromkeys(message for pair in contrast.pairs for message in _shared_question(pair)))
    spread = [shared[index * len(shared) // count] for index in range(count)] if len(shared) >= count else shared
    questions = [*spread, *(Message("user", text) for text in EVERYDAY)][:count]
    return tuple((question,) for question in questions)


def _shared_question(pair: ContrastPair) -> tuple[Message, ...]:
    if isinstance(pair.positive, str) or isinstance(pair.negative, str) or pair.position == "letter":
        return ()
    first, second = (
        [message for message in prompt if message.role == "user"] for prompt in (pair.positive, pair.negative)
    )
    return tuple(first) if len(first) == 1 and first == second else ()
