"""Predictions, labels and what is known of how a source came about."""
