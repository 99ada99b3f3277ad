"""Tables, plots and page."""
