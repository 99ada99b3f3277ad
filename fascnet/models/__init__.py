"""The network: front end, blocks, preprocessing and pooling, without any training or file code."""
