"""Training curves and charts."""
