"""From a recording to heatmaps, events, scores and files."""
