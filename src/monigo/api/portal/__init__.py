"""What customers see and do in their portal: their own things only."""
