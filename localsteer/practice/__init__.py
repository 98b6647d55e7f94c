"""The practice model that comes in the box: its grammar, its checker, and the script that trained it."""
