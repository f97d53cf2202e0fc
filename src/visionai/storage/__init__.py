"""Where bytes are kept: generic verbs, one implementation per store."""
