"""What raters say: label files, regions, and the masks made of them."""
