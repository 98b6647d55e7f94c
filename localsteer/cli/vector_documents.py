"""Vectors and recipes as ``vectors`` prints them with ``--json``."""

from __future__ import annotations

from localsteer.library.recipes import RecipeCard
from localsteer.library.vector_cards import VectorCard


def recipe_changed(card: VectorCard, recipe: RecipeCard | None) -> bool:
    """True where the vector was made from another state of its recipe."""
    return not card.error and recipe is not None and not recipe.error and not card.is_made_from(recipe.digest)


def recipe_document(card: RecipeCard) -> dict[str, object]:
    """What ``vectors list --json`` says of a recipe."""
    return {
        "name": card.name,
        "description": card.description,
        "positive": card.positive_pole,
        "negative": card.negative_pole,
        "group": card.group,
        "pairs": card.n_pairs,
        "origin": card.origin,
        "path": str(card.path),
        "error": card.error,
    }


def vector_document(card: VectorCard, recipe: RecipeCard | None) -> dict[str, object]:
    """What ``vectors list --json`` says of a vector, and ``vectors show --json`` among more."""
    return {
        "name": card.name,
        "path": str(card.path),
        "positive": card.positive_pole,
        "negative": card.negative_pole,
        "model": card.model_name,
        "model_id": card.model_id,
        "architecture": card.architecture,
        "n_layer": card.n_layer,
        "n_embd": card.n_embd,
        "method": card.method,
        "default_layers": list(card.default_layers),
        "strength_low": card.strength_low,
        "strength_high": card.strength_high,
        "expression": card.expression,
        "recipe_changed": recipe_changed(card, recipe),
        "layers": [
            {"layer": layer, "residual_norm": residual_norm, "auc": auc}
            for layer, residual_norm, auc in zip(card.layers, card.residual_norms, card.aucs, strict=False)
        ],
        "error": card.error,
    }
