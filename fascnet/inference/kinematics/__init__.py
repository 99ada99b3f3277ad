"""Kinematics of found events: how far, how fast and where tissue moved, without a click."""
