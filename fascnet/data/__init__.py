"""Files and labels in: manifests, recordings, labels, targets, windows."""
