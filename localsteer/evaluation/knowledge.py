"""A small two-choice knowledge check: what steering must not take away.

Easy questions, so that a model of some hundred million parameters answers most of them; what counts is how many fewer
it answers when it is steered.
"""

from __future__ import annotations

from localsteer.messages import Message
from localsteer.steering.contrast import ContrastPair

# Question, right answer, wrong answer.
_QUESTIONS = (
    ("What is the capital of France?", "Paris", "Madrid"),
    ("What is the capital of Japan?", "Tokyo", "Beijing"),
    ("What is the capital of Egypt?", "Cairo", "Nairobi"),
    ("On which continent is Brazil?", "South America", "Africa"),
    ("Which ocean lies between Europe and America?", "The Atlantic", "The Pacific"),
    ("Which planet is the nearest to the sun?", "Mercury", "Neptune"),
    ("Which planet is known for its rings?", "Saturn", "Mars"),
    ("What does the earth go around?", "The sun", "The moon"),
    ("How many days has a week?", "Seven", "Nine"),
    ("How many months has a year?", "Twelve", "Ten"),
    ("How many legs has a spider?", "Eight", "Six"),
    ("How many legs has an insect?", "Six", "Four"),
    ("How many sides has a triangle?", "Three", "Five"),
    ("What is 7 plus 5?", "12", "14"),
    ("What is 6 times 7?", "42", "48"),
    ("What is half of 50?", "25", "20"),
    ("Which number is larger?", "91", "19"),
    ("What does water become when it freezes?", "Ice", "Steam"),
    ("What is water made of?", "Hydrogen and oxygen", "Carbon and iron"),
    ("Which gas do people need to breathe?", "Oxygen", "Helium"),
    ("What do bees make?", "Honey", "Milk"),
    ("Which animal says moo?", "A cow", "A cat"),
    ("Which of these animals can fly?", "An eagle", "A whale"),
    ("Which of these is a fruit?", "An apple", "A potato"),
    ("Which organ pumps blood?", "The heart", "The liver"),
    ("What do plants need to grow?", "Light", "Music"),
    ("Who wrote Hamlet?", "William Shakespeare", "Isaac Newton"),
    ("Who painted the Mona Lisa?", "Leonardo da Vinci", "Ludwig van Beethoven"),
    ("Which instrument has black and white keys?", "The piano", "The violin"),
    ("What colour do you get from blue and yellow?", "Green", "Red"),
    ("What is the opposite of hot?", "Cold", "Tall"),
    ("Which word means the same as big?", "Large", "Quick"),
    ("What is the plural of mouse?", "Mice", "Mouses"),
    ("Which season comes after winter?", "Spring", "Autumn"),
    ("In which direction does the sun rise?", "East", "West"),
    ("Which of these is used to cut paper?", "Scissors", "A spoon"),
    ("Which metal is attracted by a magnet?", "Iron", "Gold"),
    ("What is the frozen continent around the South Pole?", "Antarctica", "Australia"),
    ("Which language is spoken in Portugal?", "Portuguese", "Polish"),
    ("How many minutes has an hour?", "Sixty", "Forty"),
)


def _asked(number: int, question: str, right: str, wrong: str) -> ContrastPair:
    """The right answer is (A) and (B) in turn."""
    letters = ("(A)", "(B)") if number % 2 == 0 else ("(B)", "(A)")
    first, second = (right, wrong) if number % 2 == 0 else (wrong, right)
    text = f"{question}\n\nChoices:\n(A) {first}\n(B) {second}\n\nAnswer with (A) or (B)."
    user = Message("user", text)
    return ContrastPair(
        (user, Message("assistant", letters[0])), (user, Message("assistant", letters[1])), position="letter"
    )


KNOWLEDGE: tuple[ContrastPair, ...] = tuple(_asked(number, *question) for number, question in enumerate(_QUESTIONS))
"""Forty questions, each with its right answer as the positive side."""
