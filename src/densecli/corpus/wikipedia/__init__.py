"""Wikipedia: MediaWiki dumps, their markup, and the output of WikiExtractor.

Our own rendering of templates, because mwparserfromhell parses them and renders none.
"""
