"""What the front of a GGUF file says, without llama.cpp and without NumPy."""

from localsteer.gguf_header.identity import model_id, vocabulary_fingerprint
from localsteer.gguf_header.reader import ArraySummary, GgufHeader, Scalar, TensorInfo, Value, read_header
from localsteer.gguf_header.suitability import check_chat_model

__all__ = [
    "ArraySummary",
    "GgufHeader",
    "Scalar",
    "TensorInfo",
    "Value",
    "check_chat_model",
    "model_id",
    "read_header",
    "vocabulary_fingerprint",
]
