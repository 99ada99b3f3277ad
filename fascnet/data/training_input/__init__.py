"""What a network is trained on: windows of clips with their targets."""
