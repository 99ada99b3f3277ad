"""Image formation: from scatterers to the picture that a linear array shows."""
