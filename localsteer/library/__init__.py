"""What is on this disk: models, recipes, vectors, settings. Knows files, never llama.cpp."""
