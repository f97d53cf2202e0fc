"""Data sets: formats, checks, versions, splits, statistics, packing."""
