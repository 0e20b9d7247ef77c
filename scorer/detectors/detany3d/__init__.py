"""DetAny3D inference in plain PyTorch: boxes in an image to boxes in space. Our own code, written from a
specification."""
