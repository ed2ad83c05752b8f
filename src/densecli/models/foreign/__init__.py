"""Encoders as other programs store them: DPR checkpoints and folders, Hugging Face, sentence-transformers."""
