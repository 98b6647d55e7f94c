"""Models of the program Jan: a folder per model, with a ``model.yml`` that names the file, which may lie elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from localsteer.file_reading import open_file, read_file, walk

# Jan writes these files itself, a key to a line: no need to understand all of YAML.
_MODEL_PATH = re.compile(r"""^model_path:[ \t]*["']?(?P<path>.+?)["']?[ \t]*$""", re.M)
_LONGEST = 65_536


def jan_models(environment: Mapping[str, str], home: Path) -> Iterator[tuple[str, Path]]:
    """Name and file of each model; what cannot be read is passed over."""
    for data in jan_folders(environment, home):
        models = data / "llamacpp" / "models"
        for root, folders, files in walk(models):
            folders.sort()
            name = Path(root).relative_to(models).as_posix()
            path = _named_in(Path(root) / "model.yml", data) if "model.yml" in files else None
            if path is not None:
                yield name, path
            for file in sorted(files):
                if file.lower().endswith(".gguf") and Path(root) / file != path:
                    # Jan calls nearly every file model.gguf; the folder carries the name.
                    yield (name if file == "model.gguf" else Path(file).stem), Path(root) / file


def jan_folders(environment: Mapping[str, str], home: Path) -> list[Path]:
    """Jan's data folders: ``JAN_DATA_FOLDER``, the one its settings name, and the default on each system."""
    roots = [home / ".local" / "share", home / ".config", home / "Library" / "Application Support"]
    roots += [
        Path(place) for name in ("APPDATA", "XDG_DATA_HOME", "XDG_CONFIG_HOME") if (place := environment.get(name))
    ]
    chosen = environment.get("JAN_DATA_FOLDER")
    folders = [Path(chosen)] if chosen else []
    for root in roots:
        try:
            moved: object = json.loads(read_file(root / "Jan" / "settings.json", _LONGEST))["data_folder"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            moved = None
        if isinstance(moved, str) and moved:
            folders.append(Path(moved))
        folders.append(root / "Jan" / "data")
    return folders


def _named_in(description: Path, data: Path) -> Path | None:
    try:
        with open_file(description) as file:
            said = _MODEL_PATH.search(file.read(_LONGEST).decode("utf-8", "replace"))
    except OSError:
        return None
    return None if said is None else data / said["path"]
