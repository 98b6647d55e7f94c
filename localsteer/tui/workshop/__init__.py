"""The workshop: making a dial of one's own without leaving the app."""
