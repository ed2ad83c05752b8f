"""The doors through which questions, training examples and results come in, whatever their form."""
