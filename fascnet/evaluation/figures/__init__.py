"""Figures of events, pixels, clips, counts, muscles and patients."""
