"""Questions, training examples, results and runs, as densecli and other programs write them."""
