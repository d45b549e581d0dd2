"""Benchmarks and fault trials: how fast it is, how much memory it takes, and what it survives."""
