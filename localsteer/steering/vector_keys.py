"""The metadata keys of vector files, for those who want to list files without NumPy."""

from __future__ import annotations

from typing import Final

ARCHITECTURE: Final = "controlvector"  # the value of general.architecture
FORMAT: Final = 1  # the value of VERSION that this program writes and the newest it reads

NAME: Final = "general.name"
MODEL_ARCHITECTURE: Final = "controlvector.model_hint"
LAYER_COUNT: Final = "controlvector.layer_count"  # how many directions the file holds

VERSION: Final = "localsteer.version"
POSITIVE_POLE: Final = "localsteer.positive_pole"
NEGATIVE_POLE: Final = "localsteer.negative_pole"
METHOD: Final = "localsteer.method"
RECIPE_DIGEST: Final = "localsteer.recipe_digest"
EXPRESSION: Final = "localsteer.expression"  # what the vector is a combination of, as text; missing = it is none
PARTS: Final = "localsteer.parts"  # string[n]: SHA-256 of the vector files of its names, in their order
MODEL_NAME: Final = "localsteer.model.name"
MODEL_VOCABULARY: Final = "localsteer.model.vocabulary"
MODEL_ID: Final = "localsteer.model.id"
MODEL_N_LAYER: Final = "localsteer.model.n_layer"
MODEL_N_EMBD: Final = "localsteer.model.n_embd"  # for listing; the tensors themselves decide
LAYERS: Final = "localsteer.layers.index"  # int32[n]: the layers that the two arrays below speak of
RESIDUAL_NORMS: Final = "localsteer.layers.residual_norm"  # float64[n], NaN = not measured
AUCS: Final = "localsteer.layers.auc"  # float64[n], NaN = not measured
DEFAULT_LAYERS: Final = "localsteer.default_layers"  # int32[m]
FRONT: Final = "localsteer.front."  # + layer: float32[n_positions * n_embd], for scope prompt-start; missing = none
SCATTER_LAYER: Final = "localsteer.scatter.layer"  # uint32; missing = no scatter
SCATTER_POSITIVE: Final = "localsteer.scatter.positive"  # float32[n_pairs * 2]: x, y of each positive prompt
SCATTER_NEGATIVE: Final = "localsteer.scatter.negative"  # float32[n_pairs * 2]: x, y of each negative prompt
STRENGTH_LOW: Final = "localsteer.strength_low"  # float64, towards the negative pole; missing = not measured
STRENGTH_HIGH: Final = "localsteer.strength_high"  # float64, towards the positive pole; missing = not measured
SAFE_RANGE: Final = "localsteer.safe_range"  # float64[4]: careful low, safe low, safe high, careful high
SAFE_BOUNDS: Final = "localsteer.safe_bounds"  # float64[3]: perplexity ratio; 95th percentile of KL in nats; addition
COSTS: Final = "localsteer.costs"  # float64[3n]: strength, perplexity ratio, 95th percentile of KL; again and again
