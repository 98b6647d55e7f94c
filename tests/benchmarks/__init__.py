"""Benchmarks: run by hand, each a program that prints its figures."""
