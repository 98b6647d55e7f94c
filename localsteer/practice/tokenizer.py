"""The practice model's vocabulary: byte-level BPE in the manner of Llama 3, and how a chat becomes tokens.

All 256 bytes are in the vocabulary, so any text can be written. The special tokens and the chat template are those of
Llama 3, so that the practice model takes the same way through the app as a real Llama 3 does.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from localsteer.practice.behaviours import PLACE, labels
from localsteer.practice.chat_form import BEGIN, HEADER, HEADER_END, SPECIAL, TURN_END
from localsteer.practice.choices import Choice
from localsteer.practice.conversations import Conversation, training_conversations

# How llama.cpp's pre-tokenizer "llama-bpe" cuts text into words.
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def train_tokenizer(size: int, seed: int, conversations: int = 12000) -> Tokenizer:
    """A byte-level BPE tokenizer of exactly ``size`` tokens, the special ones last, trained on the grammar's
    conversations.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_WORDS), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    texts = (
        message.content
        for conversation in itertools.islice(training_conversations(seed), conversations)
        for message in conversation.messages()
    )
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens(list(SPECIAL))
    if tokenizer.get_vocab_size() != size:
        raise ValueError(f"the grammar gave only {tokenizer.get_vocab_size()} tokens of {size}")
    return tokenizer


OPENING_WEIGHT = 4.0
"""What the first token of a sentence weighs: there a reply decides which way to go; the rest is soon learnt."""


@dataclass(frozen=True, slots=True)
class TokenizedOption:
    """One option of a two-choice question: its tokens as a slice, its ``labels``, where its letter or the other one is
    ``chosen`` (the token before the letter), whether it is the ``right`` one (None where neither is), and whether the
    reply took it.
    """

    start: int
    end: int
    labels: tuple[float, ...]
    chosen: int
    right: bool | None
    taken: bool


@dataclass(frozen=True, slots=True)
class TokenizedChat:
    """``tokens`` and for each its weight in the loss: 0 for what no reply wrote.

    What a reply wrote, the end of its turn included, weighs 1, and more at the beginning of a sentence. ``labels``:
    for each token the poles of the reply that it is in, as :func:`~localsteer.practice.behaviours.labels` gives them.
    """

    tokens: list[int]
    weights: list[float]
    labels: list[tuple[float, ...]]
    options: list[TokenizedOption]


class ChatTokenizer:
    """Turns messages into tokens as the chat template does. Text of messages never becomes a special token."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._special: dict[str, int] = {text: int(tokenizer.token_to_id(text) or 0) for text in SPECIAL}
        self._plain = Tokenizer(tokenizer.model)
        self._plain.pre_tokenizer = tokenizer.pre_tokenizer
        self._known: dict[str, list[int]] = {}
        self._enders = {at for text, at in tokenizer.get_vocab().items() if text.endswith((".", "!", "?"))}

    @classmethod
    def load(cls, path: Path) -> ChatTokenizer:
        return cls(Tokenizer.from_file(str(path)))

    def plain(self, text: str) -> list[int]:
        """Tokens of ``text`` with nothing in it taken as special."""
        ids: list[int] = self._plain.encode(text, add_special_tokens=False).ids
        return ids

    def header(self, role: str) -> list[int]:
        if role not in self._known:
            self._known[role] = [
                self._special[HEADER],
                *self.plain(role),
                self._special[HEADER_END],
                *self.plain("\n\n"),
            ]
        return self._known[role]

    def chat(self, conversation: Conversation) -> TokenizedChat:
        tokens, weights, poles = [self._special[BEGIN]], [0.0], [labels({})]
        replies = iter(conversation.exchanges)
        questions = iter(conversation.exchanges)
        options: list[TokenizedOption] = []
        for message in conversation.messages():
            header = self.header(message.role)
            if message.role == "user" and (exchange := next(questions)).choice is not None:
                options += self._options(exchange.choice, exchange.reply, len(tokens) + len(header))
            body = [*self.plain(message.content.strip()), self._special[TURN_END]]
            tokens += header + body
            weights += [0.0] * len(header)
            weights += self._weights(body) if message.role == "assistant" else [0.0] * len(body)
            told = next(replies).told if message.role == "assistant" else {}
            poles += [labels(told)] * (len(header) + len(body))
        return TokenizedChat(tokens, weights, poles, options)

    def _options(self, choice: Choice, answer: str, at: int) -> list[TokenizedOption]:
        """Where the options of a question stand, whose first token is token ``at``."""
        places = self._plain.encode(choice.text, add_special_tokens=False).offsets
        chosen = at + len(places) + len(self.header("assistant"))
        found = []
        for option in choice.options:
            inside = [at + n for n, (start, end) in enumerate(places) if start < option.end and end > option.start]
            right = None if not choice.letter else choice.letter == option.letter
            place = PLACE.positive if option is choice.options[0] else PLACE.negative
            told = labels({choice.behaviour: option.pole, PLACE.name: place})
            found.append(TokenizedOption(inside[0], inside[-1] + 1, told, chosen, right, option.letter == answer))
        return found

    def _weights(self, body: list[int]) -> list[float]:
        before = [True, *(token in self._enders for token in body[:-1])]
        return [OPENING_WEIGHT if opens else 1.0 for opens in before]
