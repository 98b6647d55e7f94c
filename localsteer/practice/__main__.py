"""``python -m localsteer.practice COMMAND``: make the practice model from nothing, and measure it.

make      train, export, measure and write the card beside the model (hours on two CPU cores)
quality   replies to held-out prompts, read by the grammar's checker
steering  what every recipe does to the practice model, beside random vectors
calibration  the ends of every recipe's safe range, tried on fresh text
talk      a few conversations of the grammar, as training sees them
texts     what the experiments of `localsteer eval` are tried on, written into a folder
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

HERE = Path(__file__).parent
MODEL = HERE / "practice.gguf"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m localsteer.practice", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("make", "quality", "steering", "talk", "texts", "calibration"))
    parser.add_argument("--model", type=Path, default=MODEL, help="GGUF to measure or to write")
    parser.add_argument(
        "--prompts", type=int, default=0, help="how many prompts (quality 400, steering 100 for each recipe)"
    )
    parser.add_argument("--work", type=Path, default=Path("practice-training"), help="folder of the checkpoint (make)")
    parser.add_argument("--out", type=Path, default=Path("practice-texts"), help="folder to write into (texts)")
    parser.add_argument("--method", default="mean-difference", help="how vectors are made (steering)")
    parser.add_argument("--recipes", nargs="*", default=[], help="only these recipes (steering)")
    parser.add_argument("--quick", action="store_true", help="find safe ranges quickly, not thoroughly (calibration)")
    options = parser.parse_args()
    match options.command:
        case "make":
            _make(options.model, options.work)
        case "quality":
            _quality(options.model, options.prompts or 400)
        case "steering":
            _steering(options.model, options.prompts or 100, options.recipes, options.method)
        case "calibration":
            _calibration(options.model, options.prompts or 100, options.recipes, thorough=not options.quick)
        case "talk":
            _talk()
        case "texts":
            _texts(options.out)


def _make(model: Path, work: Path) -> None:
    # Imported here because only training needs PyTorch and friends.
    from localsteer.practice.card import write_card
    from localsteer.practice.export import export
    from localsteer.practice.shape import Shape
    from localsteer.practice.training import Plan, read_weights, train

    plan = Plan()
    checkpoint = train(work, Shape(), plan)
    export(read_weights(checkpoint), Shape(), work / "tokenizer.json", model)
    write_card(work, model, plan)
    print(f"wrote {model}")


def _quality(model: Path, prompts: int) -> None:
    from localsteer.practice.quality import measure_quality, quality_table

    quality = measure_quality(model, prompts)
    print(quality_table(quality))
    print(*quality.problems[:20], sep="\n")


def _steering(model: Path, prompts: int, names: list[str], method: str) -> None:
    from localsteer.library.places import find_places
    from localsteer.library.recipes import list_recipes
    from localsteer.practice.behaviours import BY_NAME
    from localsteer.practice.front_table import WORDS, measure_front_rows
    from localsteer.practice.steering_table import HEADER, markdown_row, measure_steering

    recipes = [r for r in list_recipes(find_places()) if r.name in (names or BY_NAME)]
    print(HEADER)
    if method == "actadd":
        rows = measure_front_rows(model, [r.name for r in recipes if r.name in WORDS], prompts)
    else:
        rows = measure_steering(model, [r.path for r in recipes], prompts, method)
    for row in rows:
        print(markdown_row(row), flush=True)


def _calibration(model: Path, prompts: int, names: list[str], *, thorough: bool) -> None:
    from localsteer.library.places import find_places
    from localsteer.library.recipes import list_recipes
    from localsteer.practice.behaviours import BY_NAME
    from localsteer.practice.calibration_table import CALIBRATION_HEADER, calibration_row, measure_calibration

    recipes = [r.path for r in list_recipes(find_places()) if r.name in (names or BY_NAME)]
    print(CALIBRATION_HEADER)
    for row in measure_calibration(model, recipes, prompts, thorough=thorough):
        print(calibration_row(row), flush=True)


def _talk() -> None:
    from localsteer.practice.conversations import training_conversations

    for conversation in itertools.islice(training_conversations(0), 5):
        for message in conversation.messages():
            print(f"{message.role:>9}  {message.content}")
        print()


def _texts(folder: Path) -> None:
    from localsteer.practice.experiment_texts import write_experiment_texts

    write_experiment_texts(folder)
    print(f"wrote {folder}")


if __name__ == "__main__":
    main()
