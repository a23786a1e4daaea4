"""For chapters 16 and 17: certified problems, refined least squares, any number of rows, several processes."""
