"""Pictures of steering vectors, as PNG and for the terminal. This room knows plain values only: whoever has measured
something hands it in.
"""
