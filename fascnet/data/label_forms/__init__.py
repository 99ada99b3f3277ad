"""Labels in the forms of other tools: read into label files, and written for labelling to go on."""
