"""Trainers: programs that fetch data over HTTP, train, and report over HTTP.

They import nothing else of ``visionai``; a trainer image holds this package, msgspec and one framework.
``contract`` is what the server shares with them.
"""
