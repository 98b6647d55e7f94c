"""What the front of a GGUF file says, without llama.cpp and without NumPy."""

from localsteer.gguf_header.architectures import Steerability, steerability
from localsteer.gguf_header.identity import model_id, vocabulary_fingerprint
from localsteer.gguf_header.memory import MemoryNeed, buffer_bytes, cache_bytes_per_token, default_context
from localsteer.gguf_header.reader import ArraySummary, GgufHeader, Scalar, TensorInfo, Value, read_header
from localsteer.gguf_header.split import check_parts, part_named, parts_of, size_of_parts
from localsteer.gguf_header.suitability import check_chat_model, check_kind

__all__ = [
    "ArraySummary",
    "GgufHeader",
    "MemoryNeed",
    "Scalar",
    "Steerability",
    "TensorInfo",
    "Value",
    "buffer_bytes",
    "cache_bytes_per_token",
    "check_chat_model",
    "check_kind",
    "check_parts",
    "default_context",
    "model_id",
    "part_named",
    "parts_of",
    "read_header",
    "size_of_parts",
    "steerability",
    "vocabulary_fingerprint",
]
