"""What opens over the screen, one per file."""
