"""What a scanner's screen shows around the picture."""
