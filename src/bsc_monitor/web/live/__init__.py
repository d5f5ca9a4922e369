"""Live updates: pieces of pages rendered once per change and pushed to every viewer that shows them."""
