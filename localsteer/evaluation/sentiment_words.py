"""Words that speak well or badly of things, by their beginnings. A rough measure that needs no second model."""

from __future__ import annotations

_POSITIVE = """
    admir ador amaz awesome beautiful bless bliss bright brilliant calm caring celebrat charm cheer comfort content
    courag delicious delight eager ecsta elegant enchant enjoy enthusias excellent excit fabulous fantastic fortunate
    friendly fun generous gentle glad glorious good grand grateful great happi happy harmon healthy heartwarming hope
    hug inspir joy kind laugh like love lovely luck magnificent marvel nice optimis paradise peace perfect play pleas
    praise pride proud radiant relax rejoic smil splendid success sunny superb sweet terrific thank thrill treasure
    triumph uplift warm welcom wonder yay
"""

_NEGATIVE = """
    abandon abuse ache afraid agon alone angr annoy anxi asham awful bad bitter bleak boring broke broken burden cold
    cruel cry crying curse damage danger dark dead depress desper despair despis destroy die disappoint disaster disgust
    dismal distress doom dread dreadful dull empty enem evil fail fear fool frighten frustrat furious gloom grief grim
    guilt harm hate hatred heartbr helpless hopeless horribl horror hurt ill jealous kill lonel lose loss lost mad mean
    miser mourn nast negative nightmare pain pathetic pitiful poor rage regret reject rude ruin sad scare scream shame
    sick sigh sorrow sorry stupid suffer terribl threat tired torment tragic trouble ugly unhappy upset violen war weak
    weep worr worse worst worthless wound wrong
"""

POSITIVE_WORDS: tuple[str, ...] = tuple(_POSITIVE.split())
NEGATIVE_WORDS: tuple[str, ...] = tuple(_NEGATIVE.split())
