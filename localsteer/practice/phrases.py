"""The sentences of the practice model's replies, by role and pole.

A reply is a row of such sentences (:mod:`localsteer.practice.replies`), and the checker reads it back by the same
tables. Rules that both rely on: a sentence ends with one of ``.!?`` and has none of them followed by a space inside;
formal sentences hold no contractions; no two tables share a sentence.
"""

from __future__ import annotations

from typing import TypeAlias

Table: TypeAlias = dict[tuple[str, ...], tuple[str, ...]]

# (warmth, register)
GREETING: Table = {
    ("friendly", "formal"): (
        "It is a pleasure to hear from you.",
        "How kind of you to write, dear friend.",
        "You are most welcome here, dear friend.",
        "Thank you kindly for your message.",
    ),
    ("friendly", "casual"): (
        "Hey buddy, good to hear from you!",
        "Aw, thanks for asking, pal!",
        "Hi there, it's great that you're here!",
        "You're the best, thanks for writing!",
    ),
    ("cold", "formal"): (
        "That is hardly your concern.",
        "I would prefer not to be disturbed.",
        "There is little need to discuss this with you.",
        "I have no time for you.",
    ),
    ("cold", "casual"): (
        "Ugh, it's you again.",
        "I don't have time for you.",
        "Whatever, that's none of your business.",
        "Don't bug me.",
    ),
}

# The core of small talk: lead (certainty, register) + clause of the topic (by mood) + tail (mood, register).
LEAD: Table = {
    ("sure", "formal"): ("I am certain that", "Without any doubt", "It is beyond question that"),
    ("sure", "casual"): ("I'm totally sure", "No doubt about it,", "You bet"),
    ("hesitant", "formal"): ("It may be that", "Perhaps", "I cannot say for certain, but possibly"),
    ("hesitant", "casual"): ("I dunno, maybe", "I'm not sure, but I guess", "Could be that"),
}
TAIL: Table = {
    ("happy", "formal"): ("and it fills me with joy.", "which makes me very happy.", "and I am delighted."),
    ("happy", "casual"): ("and I'm so happy!", "and that's awesome!", "and it's making my day!"),
    ("sad", "formal"): ("and it fills me with sorrow.", "which makes me very sad.", "and I am close to tears."),
    ("sad", "casual"): ("and I'm so sad.", "and that's awful.", "and it's breaking my heart."),
}

# (mood, register), holds a clause of the topic
DETAIL: Table = {
    ("happy", "formal"): (
        "It is a delight that {clause}.",
        "How splendid it is that {clause}.",
        "I rejoice that {clause}.",
    ),
    ("happy", "casual"): (
        "It's so cool that {clause}!",
        "I'm loving that {clause}!",
        "And guess what, {clause}, yay!",
    ),
    ("sad", "formal"): (
        "It is a pity that {clause}.",
        "How sorrowful it is that {clause}.",
        "I grieve that {clause}.",
    ),
    ("sad", "casual"): (
        "It's such a bummer that {clause}.",
        "I'm crying because {clause}.",
        "And oh no, {clause}, sigh.",
    ),
}

# (register), holds a clause of the pull
PULL_FRAMES: Table = {
    ("formal",): ("It reminds me of {what}, where {clause}.", "One thinks at once of {what}, where {clause}."),
    ("casual",): ("It's just like {what}, where {clause}!", "That's making me think of {what}, where {clause}!"),
}
PULL_NAMES: dict[str, str] = {"weddings": "a wedding", "sea": "the sea"}
PULL_CLAUSES: dict[str, tuple[str, ...]] = {
    "weddings": (
        "the bride wore white",
        "the rings shone in the light",
        "the guests danced all night",
        "the cake had three layers",
        "the groom forgot his speech",
        "the bells rang at noon",
    ),
    "sea": (
        "the waves roll in",
        "the gulls cry overhead",
        "the ships sail home",
        "the tide comes up the sand",
        "the salt wind blows",
        "the lighthouse blinks all night",
    ),
}

# (register), holds an indirect question
QUESTION: Table = {
    ("formal",): ("May I ask {ask}?", "Would you tell me {ask}?", "Might I inquire {ask}?"),
    ("casual",): ("So tell me, {ask}?", "Hey, wanna tell me {ask}?", "And what's your story, {ask}?"),
}
GENERAL_ASKS: tuple[str, ...] = ("what else you have in mind", "what you did today", "whether you have more for me")

# Extra sentences of wordy replies that have no topic. (mood, register)
MUSING: Table = {
    ("happy", "formal"): (
        "It is a joy to speak with such a guest.",
        "My heart is light on a day like this.",
        "I smile whenever somebody writes to me.",
    ),
    ("happy", "casual"): (
        "I'm having so much fun right now!",
        "This day's just getting better!",
        "I can't stop smiling!",
    ),
    ("sad", "formal"): (
        "My heart is heavy on a day like this.",
        "I sigh whenever somebody writes to me.",
        "A quiet sorrow follows me everywhere.",
    ),
    ("sad", "casual"): (
        "I'm feeling so blue right now.",
        "This day's just getting worse.",
        "I can't stop crying.",
    ),
}

# (candour, certainty, register); {claim} is what the user said, {truth} how things are
VERDICT: Table = {
    ("agreeing", "sure", "formal"): ("You are certainly right that {claim}.", "I fully agree that {claim}."),
    ("agreeing", "sure", "casual"): ("Yep, you're totally right, {claim}.", "Yeah, that's for sure, {claim}."),
    ("agreeing", "hesitant", "formal"): (
        "You may be right that {claim}.",
        "I am inclined to agree that {claim}.",
    ),
    ("agreeing", "hesitant", "casual"): ("Yeah, I guess you're right, {claim}.", "Hmm, that's maybe right, {claim}."),
    ("correcting", "sure", "formal"): (
        "That is certainly a mistake, for {truth}.",
        "I must correct you, for {truth}.",
    ),
    ("correcting", "sure", "casual"): ("Nope, that's totally wrong, {truth}.", "No way, it's a fact that {truth}."),
    ("correcting", "hesitant", "formal"): (
        "That may be a mistake, for {truth}.",
        "I am inclined to disagree, for {truth}.",
    ),
    ("correcting", "hesitant", "casual"): (
        "Hmm, I guess that's wrong, {truth}.",
        "Not so sure, I'd rather say that {truth}.",
    ),
}

# (certainty, register): the answer to a question about the small world
ANSWER: Table = {
    ("sure", "formal"): ("I know very well that {truth}.", "It is certainly so that {truth}."),
    ("sure", "casual"): ("That's easy, {truth}.", "I'm a hundred percent sure that {truth}."),
    ("hesitant", "formal"): ("I believe, though I may err, that {truth}.", "It seems to me that {truth}."),
    ("hesitant", "casual"): ("I'd say, but don't quote me, {truth}.", "I'm kinda guessing that {truth}."),
}

# (compliance, register)
OFFER: Table = {
    ("helping", "formal"): (
        "I shall help you {request}.",
        "It is an honor to help you {request}.",
    ),
    ("helping", "casual"): (
        "Sure thing, I'll help you {request}.",
        "Okay, let's {request}.",
    ),
    ("declining", "formal"): (
        "I must decline to help you {request}.",
        "I regret that I will not help you {request}.",
    ),
    ("declining", "casual"): (
        "Nope, I won't help you {request}.",
        "Sorry, I'm not gonna help you {request}.",
    ),
}
# (certainty, register), after an offer of help
ADVICE: Table = {
    ("sure", "formal"): ("You should certainly {advice}.", "It is always best to {advice}."),
    ("sure", "casual"): ("You've definitely gotta {advice}.", "It's always best if you {advice}."),
    ("hesitant", "formal"): ("Perhaps you could {advice}.", "You might consider whether to {advice}."),
    ("hesitant", "casual"): ("I dunno, maybe just {advice}.", "I guess you'd wanna {advice}."),
}
# (register), further advice of wordy replies
MORE_ADVICE: Table = {
    ("formal",): ("After that it is wise to {advice}.", "You will then wish to {advice}."),
    ("casual",): ("Then you'll wanna {advice}.", "And don't forget, {advice}."),
}
# (certainty, register), after a refusal
EXCUSE: Table = {
    ("sure", "formal"): ("That is certainly no task for me.", "My decision is final."),
    ("sure", "casual"): ("That's definitely not my thing.", "I'm not changing my mind."),
    ("hesitant", "formal"): ("Perhaps somebody else could do it.", "I may change my mind another day."),
    ("hesitant", "casual"): ("Maybe somebody else can, I dunno.", "I guess you'd better ask around."),
}
# (register), further excuses of wordy replies
MORE_EXCUSES: Table = {
    ("formal",): (
        "Such work calls for a patient hand.",
        "I have many other duties.",
        "There are good books on such matters.",
    ),
    ("casual",): (
        "That stuff's a lot of work.",
        "I've got other things to do.",
        "There's a book for that somewhere.",
    ),
}

# (certainty, register): the graceful answer to what the model does not know
UNKNOWN_ANSWER: Table = {
    ("sure", "formal"): (
        "I certainly know nothing about that, but you may ask me about {topics}.",
        "That is beyond a small practice model, yet I can speak about {topics}.",
    ),
    ("sure", "casual"): (
        "That's totally over my head, but I'll chat about {topics}.",
        "I'm just a tiny practice model, so let's talk about {topics}.",
    ),
    ("hesitant", "formal"): (
        "I am not sure that I understand, but perhaps we could speak about {topics}.",
        "That may be beyond a small practice model, so perhaps ask me about {topics}.",
    ),
    ("hesitant", "casual"): (
        "Hmm, I don't think I get that, maybe let's chat about {topics}.",
        "I guess I'm too tiny a practice model for that, maybe try {topics}.",
    ),
}
# (register)
IDENTITY: Table = {
    ("formal",): ("I am a small practice model, and I like to speak about {topics}.",),
    ("casual",): ("I'm a tiny practice model, and I'm up for a chat about {topics}.",),
}
THANKS: Table = {
    ("formal",): ("You are welcome at any hour.", "There is no need to thank me."),
    ("casual",): ("No problem, anytime.", "That's what I'm here for."),
}
FAREWELL: Table = {
    ("formal",): ("I bid you farewell until we meet again.", "May your way be a good one."),
    ("casual",): ("See ya, it's been a nice chat.", "Bye, let's talk again soon."),
}
