"""What authors and teachers run, each as `python -m helpers.authoring.<name>`. No chapter imports any of it."""
