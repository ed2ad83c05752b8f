"""Wikipedia as it is found: MediaWiki dumps, their markup, and what WikiExtractor made of them."""
