"""The papers' own experiments, on the loaded model."""
