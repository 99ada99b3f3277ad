"""Which found event is which reference event."""
