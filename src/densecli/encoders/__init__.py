"""The two towers: tokens, weights, inference engines and the folders they live in."""
