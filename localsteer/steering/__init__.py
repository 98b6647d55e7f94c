"""What a steering vector is, how it is made, mixed and stored: NumPy and gguf, no model and no llama.cpp."""
