"""What learns: seeds, corpora, estimators and adapters; nothing here is needed to speak."""
