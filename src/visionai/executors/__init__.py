"""Where trainers run: three verbs, one implementation per place."""
