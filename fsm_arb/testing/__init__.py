"""What test authors use."""
