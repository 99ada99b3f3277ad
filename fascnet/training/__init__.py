"""Losses, LightningModule and callbacks."""
