"""One file a verb: Hydra in, one package call, one line out."""
