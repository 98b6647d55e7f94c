"""Does a vector fit a model?"""

from __future__ import annotations

from dataclasses import dataclass

from localsteer.errors import VectorError


@dataclass(frozen=True, slots=True)
class ModelStamp:
    """The model a vector was made for. Empty texts and 0 mean that the file does not say.

    ``vocabulary`` is a fingerprint of the vocabulary: equal for quantisations and fine-tunes of one family.
    ``model_id`` is that of the one file.
    """

    name: str = ""
    architecture: str = ""
    n_layer: int = 0
    n_embd: int = 0
    vocabulary: str = ""
    model_id: str = ""


def check_fits(vector: str, made_for: ModelStamp, layers: tuple[int, ...], model: ModelStamp) -> str | None:
    """None where the vector fits ``model``, a warning where it may not mean the same there.

    Raises :class:`VectorError` for a model of another size. Another quantisation or fine-tune of the same family fits;
    another family of the same size is warned about.
    """
    here = model.name or "this model"
    if made_for.n_embd != model.n_embd:
        raise VectorError(
            f'The vector "{vector}" is {made_for.n_embd} wide and {here} is {model.n_embd} wide: '
            f"it was made for {_origin(made_for)}. Make it again for {here}."
        )
    if made_for.n_layer and made_for.n_layer != model.n_layer:
        raise VectorError(
            f'The vector "{vector}" was made for {made_for.n_layer} layers and {here} has {model.n_layer}: '
            f"it belongs to {_origin(made_for)}. Make it again for {here}."
        )
    if max(layers) >= model.n_layer:
        raise VectorError(
            f'The vector "{vector}" steers layer {max(layers)}, but the last layer of {here} is {model.n_layer - 1}. '
            f"Make it again for {here}."
        )
    if not (made_for.architecture or made_for.vocabulary):
        return f'The vector "{vector}" does not say which model it was made for; it may mean nothing to {here}.'
    for ours, theirs in ((made_for.architecture, model.architecture), (made_for.vocabulary, model.vocabulary)):
        if ours and theirs and ours != theirs:
            return (
                f'The vector "{vector}" was made for {_origin(made_for)}, another family of the same size; '
                f"it may mean nothing to {here}."
            )
    return None


def _origin(made_for: ModelStamp) -> str:
    if made_for.name:
        return made_for.name
    return f"a {made_for.architecture} model" if made_for.architecture else "an unknown model"
