"""VisionAI: train computer-vision models from a sentence, a form, an API call or a script."""

__version__ = "0.1.0"
