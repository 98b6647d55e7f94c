"""Load, steer, write, measure: the library in a dozen lines."""

import localsteer

with localsteer.load("practice") as model:
    mood = model.vector("mood")  # made from its recipe when first used, and kept

    for text in model.reply("Tell me about gardens.", dials={mood: 1.2}, seed=1):
        print(text, end="", flush=True)
    print()

    print(model.reply("Tell me about gardens.", dials="-1.2*mood @layers 3", seed=1))
    print(model.measure(mood, strengths=[-1, 0, 1], replies=4))
