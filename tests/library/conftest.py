"""A home of one's own, and a vector file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from localsteer.library.places import Places, find_places
from localsteer.steering.fit import ModelStamp
from localsteer.steering.vector import LayerStatistics, SteeringVector
from localsteer.steering.vector_file import save_vector


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return find_places({"LOCALSTEER_HOME": str(tmp_path / "home")})


def write_vector(path: Path, *, model_id: str = "m1", model_name: str = "Small", digest: str = "") -> Path:
    """A vector of width 8 for layers 2 and 3."""
    path.parent.mkdir(parents=True, exist_ok=True)
    vector = SteeringVector(
        name=path.stem,
        positive_pole="happy",
        negative_pole="sad",
        directions={2: np.ones(8, np.float32), 3: np.full(8, 2, np.float32)},
        model=ModelStamp(model_name, "llama", 6, 8, "vocabulary-1", model_id),
        method="mean-difference",
        recipe_digest=digest,
        layers={2: LayerStatistics(0.0, 4.5, 0.75), 3: LayerStatistics(0.0, 5.5, None)},
        default_layers=(3,),
        strength_low=-1.5,
        strength_high=1.25,
    )
    save_vector(vector, path)
    return path
