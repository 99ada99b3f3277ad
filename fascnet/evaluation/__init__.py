"""Benchmark of detectors and raters against labels. Reads files, never a model; imports no torch."""
