"""What this build of llama.cpp can do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Build:
    """``features`` as llama.cpp names them (AVX2, NEON, CUDA …); ``threads``: how many it will be given here."""

    binding_version: str
    features: tuple[str, ...]
    gpu: bool
    memory_mapping: bool
    threads: int


def inspect_build() -> Build:
    """Ask the library that is installed."""
    # Only here: on a processor that it was not built for, loading it ends the process.
    import llama_cpp
    import llama_cpp.llama_cpp as lib

    from localsteer.llama import backend
    from localsteer.llama.threads import default_threads

    backend.start()
    said = lib.llama_print_system_info().decode("utf-8", "replace")
    features = []
    for part in said.replace(":", "|").split("|"):
        name, equals, value = part.partition("=")
        if name.strip() and (not equals or value.strip() not in {"", "0"}):
            features.append(name.strip() if value.strip() in {"", "1"} else f"{name.strip()} {value.strip()}")
    return Build(
        binding_version=llama_cpp.__version__,
        features=tuple(features),
        gpu=bool(lib.llama_supports_gpu_offload()),
        memory_mapping=bool(lib.llama_supports_mmap()),
        threads=default_threads(),
    )
