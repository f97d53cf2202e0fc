"""Image classification with any model of timm (PyTorch Image Models)."""
