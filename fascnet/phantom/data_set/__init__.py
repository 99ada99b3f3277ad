"""Sets of clips on disk: folder, workers, hashes, difficulty."""
