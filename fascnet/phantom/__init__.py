"""Simulated ultrasound clips with exactly known twitches."""
