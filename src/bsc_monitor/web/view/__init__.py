"""What pages show, made from the model: rows, lists, trees, small charts."""
