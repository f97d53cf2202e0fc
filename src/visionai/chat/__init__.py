"""The chat: text and context in; a draft, a question or an action out."""
