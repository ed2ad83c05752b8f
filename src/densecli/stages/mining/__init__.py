"""The parts of mining: which passage is a question's positive, and which are its negatives."""
