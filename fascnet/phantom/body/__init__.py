"""The section through a body: layers, muscles, texture, as point scatterers."""
