"""What a vector does and what it costs."""
