"""Published classical detectors behind the same `Predictor` protocol as the network."""
