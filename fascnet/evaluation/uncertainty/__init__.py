"""Intervals, differences, margins, and how many subjects a study needs."""
