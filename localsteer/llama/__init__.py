"""The only room that knows llama.cpp, through llama-cpp-python's low-level API. It imports no other room."""
