"""For chapters 13 and 14: certified problems, refined least squares, any number of rows, several processes."""
